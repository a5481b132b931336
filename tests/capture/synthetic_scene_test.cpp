#include "capture/synthetic_scene.hpp"

#include <doctest/doctest.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "capture/gst.hpp"
#include "capture/picture_buffer.hpp"
#include "capture/time_code.hpp"

using namespace edgecam;
using namespace edgecam::capture;

namespace {

constexpr std::uint64_t kNow = 1'795'400'000'123'456;  // 2026-11-23 02:13:20.123456 UTC

/// Pixels of our own, rows padded, and a sentinel behind each plane.
struct Sheet {
    static constexpr std::uint8_t kSentinel = 0xa5;

    explicit Sheet(Size size, int padding = 0) : canvas{size, {}, {}} {
        for (std::size_t i = 0; i < 3; ++i) {
            const int stride = (i == 0 ? size.width : size.width / 2) + padding;
            const int rows = i == 0 ? size.height : size.height / 2;
            planes[i].assign(static_cast<std::size_t>(stride) * static_cast<std::size_t>(rows) + 64,
                             kSentinel);
            canvas.planes[i] = planes[i].data();
            canvas.strides[i] = stride;
        }
    }

    [[nodiscard]] Picture picture() const {
        Picture view;
        view.size = canvas.size;
        for (std::size_t i = 0; i < 3; ++i) view.planes[i] = {planes[i].data(), canvas.strides[i]};
        view.pixels = std::make_shared<const std::array<ByteBuffer, 3>>(planes);
        for (std::size_t i = 0; i < 3; ++i) {
            view.planes[i].data =
                (*static_cast<const std::array<ByteBuffer, 3>*>(view.pixels.get()))[i].data();
        }
        return view;
    }
    [[nodiscard]] bool sentinelsStand() const {
        return std::all_of(planes.begin(), planes.end(), [](const ByteBuffer& plane) {
            return std::all_of(plane.end() - 64, plane.end(),
                               [](std::uint8_t byte) { return byte == kSentinel; });
        });
    }

    std::array<ByteBuffer, 3> planes;
    Canvas canvas;
};

Sheet drawn(TestPattern pattern, Size size, std::uint32_t number, std::uint64_t code = kNow) {
    Sheet sheet(size);
    SyntheticScene(pattern, size, 30).draw(sheet.canvas, number, code);
    return sheet;
}

/// The pictures as they come out of a pipeline.
std::vector<Picture> through(const std::string& elements, const std::vector<Picture>& pictures) {
    auto pipeline =
        Pipeline::parse("appsrc name=in format=time ! " + elements + " ! appsink name=out sync=false");
    REQUIRE(pipeline);
    const auto in = pipeline->element("in");
    const auto out = pipeline->element("out");
    gst_app_src_set_caps(GST_APP_SRC(in.get()), rawCaps(pictures[0].size, 30).get());
    REQUIRE(pipeline->play());
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        auto buffer = bufferOf(pictures[i], Microseconds(i * 1'000'000 / 30));
        gst_app_src_push_buffer(GST_APP_SRC(in.get()), buffer.release());
    }
    gst_app_src_end_of_stream(GST_APP_SRC(in.get()));
    std::vector<Picture> results;
    while (const auto sample =
               adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(out.get()), 20 * GST_SECOND))) {
        results.push_back(pictureOf(sample.get()).value());
    }
    return results;
}

}  // namespace

TEST_CASE("The same number gives the same pixels, another number others") {
    for (const TestPattern pattern : {TestPattern::faces, TestPattern::bars, TestPattern::noise}) {
        const Sheet first = drawn(pattern, {640, 360}, 41);
        CHECK(first.planes == drawn(pattern, {640, 360}, 41).planes);
        CHECK(first.planes != drawn(pattern, {640, 360}, 51).planes);
    }
}

TEST_CASE("Nothing is drawn outside the canvas, at any size and while somebody walks out of it") {
    for (const Size size :
         {Size{320, 180}, Size{322, 182}, Size{640, 480}, Size{720, 1280}, Size{1280, 720}}) {
        CAPTURE(size.width);
        Sheet sheet(size, 10);
        const SyntheticScene scene(TestPattern::faces, size, 30);
        for (std::uint32_t number = 0; number < 620; number += 31) scene.draw(sheet.canvas, number, kNow);
        CHECK(sheet.sentinelsStand());
        const ByteBuffer& luma = sheet.planes[0];
        for (int y = 0; y < size.height; ++y) {
            const auto end = luma.begin() + (y + 1) * sheet.canvas.strides[0];
            REQUIRE(std::all_of(end - 10, end, [](std::uint8_t byte) { return byte == Sheet::kSentinel; }));
        }
    }
}

TEST_CASE("The faces are large enough, inside, apart from each other and from the time code") {
    for (const Size size : {Size{1280, 720}, Size{640, 360}, Size{640, 480}, Size{1920, 1080}}) {
        const SyntheticScene scene(TestPattern::faces, size, 30);
        for (std::uint32_t number = 0; number < 3600; number += 5) {
            CAPTURE(number);
            const auto faces = scene.faces(number);
            REQUIRE(faces.size() >= 2);
            REQUIRE(faces.size() <= 3);
            for (std::size_t i = 0; i < faces.size(); ++i) {
                const RectPx box = inPixels(faces[i], size);
                REQUIRE(intersectionOverUnion(faces[i], clipped(faces[i])) > 0.9999F);
                if (size.width * 9 == size.height * 16) REQUIRE(faces[i].width * 640 >= 90);
                REQUIRE(box.y > static_cast<float>(timeCodeRows(size)));
                if (i > 0) REQUIRE(faces[i].x > faces[i - 1].x + faces[i - 1].width);
            }
        }
    }
}

TEST_CASE("One of the faces leaves and comes back every twenty seconds") {
    const SyntheticScene scene(TestPattern::faces, {1280, 720}, 30);
    int changes = 0;
    for (std::uint32_t number = 1; number < 60 * 30; ++number) {
        if (scene.faces(number).size() != scene.faces(number - 1).size()) ++changes;
    }
    CHECK(changes == 6);
    CHECK(scene.faces(0).size() == 3);
    CHECK(scene.faces(16 * 30).size() == 2);
}

TEST_CASE("Faces move smoothly, as fast at 10 pictures a second as at 30") {
    const SyntheticScene fast(TestPattern::faces, {1280, 720}, 30);
    const SyntheticScene slow(TestPattern::faces, {1280, 720}, 10);
    for (std::uint32_t number = 0; number < 390; ++number) {
        REQUIRE(fast.faces(3 * number) == slow.faces(number));
        const float step = fast.faces(number)[0].x - fast.faces(number + 1)[0].x;
        REQUIRE(std::abs(step) * 1280 <= 4);
    }
}

TEST_CASE("Where a face is said to be, there is skin in the picture") {
    const Size size{1280, 720};
    const Sheet sheet = drawn(TestPattern::faces, size, 100);
    for (const RectNorm& face : SyntheticScene(TestPattern::faces, size, 30).faces(100)) {
        const RectPx box = inPixels(face, size);
        const int x = static_cast<int>(box.x + box.width / 2) / 2;
        const int y = static_cast<int>(box.y + box.height * 0.3F) / 2;
        CHECK(sheet.planes[2][static_cast<std::size_t>(y * 640 + x)] > 140);  // red
        CHECK(sheet.planes[1][static_cast<std::size_t>(y * 640 + x)] < 120);  // not blue
    }
}

TEST_CASE("Bars and noise have no faces") {
    CHECK(SyntheticScene(TestPattern::bars, {640, 360}, 30).faces(1).empty());
    CHECK(SyntheticScene(TestPattern::noise, {640, 360}, 30).faces(1).empty());
}

TEST_CASE("The time code is read back from every pattern and size") {
    for (const TestPattern pattern : {TestPattern::faces, TestPattern::bars, TestPattern::noise}) {
        for (const Size size :
             {Size{320, 180}, Size{640, 360}, Size{854, 480}, Size{1280, 720}, Size{720, 1280}}) {
            for (const std::uint64_t code : {std::uint64_t{0}, kNow, kTimeCodeMask}) {
                CHECK(readTimeCode(drawn(pattern, size, 7, code).picture()) == code);
            }
        }
    }
}

TEST_CASE("A picture without a time code has none") {
    Sheet sheet({640, 360});
    for (const int luma : {0, 16, 128, 235, 255}) {
        sheet.planes[0].assign(sheet.planes[0].size(), static_cast<std::uint8_t>(luma));
        CHECK_FALSE(readTimeCode(sheet.picture()));
    }
    Sheet damaged = drawn(TestPattern::bars, {640, 360}, 7);
    for (std::size_t y = 5; y < 15; ++y) {
        for (std::size_t x = 100; x < 110; ++x) damaged.planes[0][y * 640 + x] ^= 0xff;
    }
    CHECK_FALSE(readTimeCode(damaged.picture()));
    Picture tiny = drawn(TestPattern::bars, {320, 180}, 7).picture();
    tiny.size = {300, 168};
    CHECK_FALSE(readTimeCode(tiny));
    CHECK_FALSE(readTimeCode(Picture{}));
}

TEST_CASE("The time code survives H.264 at 300 kbit/s and scaling to 320 pixels width") {
    const SyntheticScene scene(TestPattern::faces, {1280, 720}, 30);
    std::vector<Picture> pictures;
    for (std::uint32_t number = 0; number < 45; ++number) {
        Sheet sheet({1280, 720});
        scene.draw(sheet.canvas, number, kNow + number * 33'333);
        pictures.push_back(sheet.picture());
    }
    const std::string codec =
        "x264enc tune=zerolatency speed-preset=ultrafast bitrate=300 vbv-buf-capacity=250 ! h264parse ! "
        "avdec_h264 ! ";
    const std::string toSmall = "videoscale ! video/x-raw,format=I420,width=320,height=180";
    for (const std::string& elements :
         {codec + "identity", codec + toSmall, toSmall + " ! " + codec + "identity"}) {
        CAPTURE(elements);
        const auto results = through(elements, pictures);
        REQUIRE(results.size() == pictures.size());
        for (std::size_t i = 0; i < results.size(); ++i) {
            CAPTURE(i);
            CHECK(readTimeCode(results[i]) == kNow + i * 33'333);
        }
    }
}
