// Decoder with real coded streams: key frames alone, everything, and what comes out when that changes in the
// middle of a group. Each picture has its number drawn in it and is held against a decoder that never skips.
#include "capture/decoder.hpp"

#include <doctest/doctest.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "capture/picture_buffer.hpp"
#include "capture/synthetic_scene.hpp"
#include "tests/support/main_context.hpp"

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;

namespace {

constexpr Size kSize{320, 180};
constexpr Microseconds kStep{
    90'000};                     // so a group of 16 is long enough for each of its key frames to be decoded
constexpr auto kDeadline = 20s;  // only ever reached by a failure
const std::string kX264 = "x264enc speed-preset=ultrafast ";
const std::string kX265 = "x265enc log-level=none speed-preset=ultrafast ";
const std::string kNoReordering = kX264 + "tune=zerolatency";

struct Unit {
    ByteBuffer data;
    Microseconds pts{0};
    bool key = false;
};

struct CodedClip {
    std::vector<Unit> units;
    std::shared_ptr<const Coding> coding;

    [[nodiscard]] bool reordered() const {
        return std::ranges::any_of(units, [last = Microseconds(-1)](const Unit& unit) mutable {
            return std::exchange(last, unit.pts) > unit.pts;
        });
    }
};

Picture drawn(const SyntheticScene& scene, std::uint32_t number) {
    const std::size_t luma = static_cast<std::size_t>(kSize.width) * kSize.height;
    auto pixels = std::make_shared<ByteBuffer>(luma + luma / 2);
    Canvas canvas{kSize,
                  {pixels->data(), pixels->data() + luma, pixels->data() + luma + luma / 4},
                  {kSize.width, kSize.width / 2, kSize.width / 2}};
    scene.draw(canvas, number, number);
    Picture picture;
    picture.size = kSize;
    for (std::size_t i = 0; i < 3; ++i) picture.planes[i] = {canvas.planes[i], canvas.strides[i]};
    picture.pixels = pixels;
    return picture;
}

/// `count` pictures, numbered from 0 on in the order in which they are shown, as that encoder codes them.
CodedClip codedClip(int count, int group, const std::string& encoder) {
    startGStreamer();
    const std::string parsed = encoder.starts_with(kX265)
                                   ? " ! h265parse ! video/x-h265,stream-format=hvc1,alignment=au"
                                   : " ! h264parse ! video/x-h264,stream-format=avc,alignment=au";
    auto built =
        Pipeline::parse("appsrc name=in format=time ! " + encoder + " key-int-max=" + std::to_string(group) +
                        parsed + " ! appsink name=out sync=false");
    REQUIRE(built);
    REQUIRE(built->play());
    const auto in = built->element("in");
    const auto out = built->element("out");
    gst_app_src_set_caps(GST_APP_SRC(in.get()), rawCaps(kSize, 30).get());
    const SyntheticScene scene(TestPattern::faces, kSize, 30);
    for (int i = 0; i < count; ++i) {
        const auto picture = drawn(scene, static_cast<std::uint32_t>(i));
        gst_app_src_push_buffer(GST_APP_SRC(in.get()), bufferOf(picture, i * kStep).release());
    }
    gst_app_src_end_of_stream(GST_APP_SRC(in.get()));
    CodedClip clip;
    while (const auto sample = adopt(gst_app_sink_pull_sample(GST_APP_SINK(out.get())))) {
        GstBuffer* buffer = gst_sample_get_buffer(sample.get());
        Unit unit;
        unit.data.resize(gst_buffer_get_size(buffer));
        gst_buffer_extract(buffer, 0, unit.data.data(), unit.data.size());
        unit.pts = *runningTime(gst_sample_get_segment(sample.get()), GST_BUFFER_PTS(buffer));
        unit.key = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
        clip.units.push_back(std::move(unit));
        if (!clip.coding)
            clip.coding = std::make_shared<const Coding>(*codingOf(gst_sample_get_caps(sample.get())));
    }
    REQUIRE(clip.units.size() == static_cast<std::size_t>(count));
    return clip;
}

/// What a decoder gave, in order.
class Shown {
  public:
    Decoder::Take take() {
        return [this](const Picture& picture, const PictureStamp& stamp) {
            const std::lock_guard lock(mutex_);
            pictures_.push_back(picture);
            times_.push_back(stamp.mediaTime);
        };
    }
    [[nodiscard]] std::vector<Picture> pictures() const {
        const std::lock_guard lock(mutex_);
        return pictures_;
    }
    [[nodiscard]] std::vector<std::uint32_t> numbers() const {
        std::vector<std::uint32_t> numbers;
        for (const Picture& picture : pictures()) numbers.push_back(picture.sequence);
        return numbers;
    }
    [[nodiscard]] bool onlyForward() const {
        const std::lock_guard lock(mutex_);
        return std::ranges::is_sorted(times_, std::ranges::less_equal()) &&
               std::ranges::adjacent_find(times_) == times_.end();
    }
    /// Turns the main loop until that picture has come.
    [[nodiscard]] bool has(std::uint32_t sequence) const {
        return test::waitUntil(
            [&] {
                const auto all = numbers();
                return std::ranges::find(all, sequence) != all.end();
            },
            kDeadline);
    }

  private:
    mutable std::mutex mutex_;
    std::vector<Picture> pictures_;
    std::vector<Microseconds> times_;
};

bool samePixels(const Picture& a, const Picture& b) {
    for (int y = 0; y < kSize.height; ++y) {
        if (std::memcmp(a.planes[0].data + static_cast<std::ptrdiff_t>(y) * a.planes[0].stride,
                        b.planes[0].data + static_cast<std::ptrdiff_t>(y) * b.planes[0].stride,
                        static_cast<std::size_t>(kSize.width)) != 0)
            return false;
    }
    return true;
}

/// A camera that gives a picture when it is told to, and two that decode it: one under test, one always all.
struct Bench {
    explicit Bench(int group, int count = 100, const std::string& encoder = kNoReordering)
        : clip(codedClip(count, group, encoder)) {}
    ~Bench() {
        tested.run(Decoding::none);
        whole.run(Decoding::none);
    }

    /// The camera's next pictures.
    void give(int count) {
        for (; count > 0; --count) {
            const Unit& unit = clip.units.at(given++);
            SourceTime time;
            time.running = unit.pts;
            time.taken = kStart + unit.pts;
            const PictureStamp stamp = timeline.stamp(time);
            drawnIn[stamp.sequence] = static_cast<std::uint64_t>((unit.pts + kStep / 2) / kStep);
            if (unit.key) keys.push_back(stamp.sequence);
            stream.push({.data = unit.data, .pts = stamp.mediaTime, .dts = {}, .keyFrame = unit.key},
                        clip.coding, stamp);
            whole.run(Decoding::all);
            last = stamp.sequence;
        }
    }
    /// Each picture that came is the one it says it is, whole.
    void checkShown() {
        CHECK(shown.onlyForward());
        const auto pictures = shown.pictures();
        for (const Picture& picture : pictures) REQUIRE(all.has(picture.sequence));  // its decoder is another
        const auto reference = all.pictures();
        for (const Picture& picture : pictures) {
            CAPTURE(picture.sequence);
            CHECK(readTimeCode(picture) == std::optional(drawnIn.at(picture.sequence)));
            CHECK(picture.captureTime == timeline.find(picture.sequence)->captureTime);
            const auto same = std::ranges::find(reference, picture.sequence, &Picture::sequence);
            REQUIRE(same != reference.end());
            CHECK(samePixels(picture, *same));
        }
        CHECK(tested.failures() == 0);
    }

    static constexpr Utc kStart{Microseconds(1'700'000'000'000'000)};
    CodedClip clip;
    SystemClock clock;
    Timeline timeline{clock};
    Shown shown, all;
    ChunkStream stream{RenditionKind::passthrough, clock,
                       [this](const Chunk& chunk, const std::shared_ptr<const Coding>& coding) {
                           tested.feed(chunk, coding);
                           whole.feed(chunk, coding);
                       }};
    Decoder tested{stream, timeline, clock, shown.take()};
    Decoder whole{stream, timeline, clock, all.take()};
    std::size_t given = 0;
    std::uint32_t last = 0;
    std::vector<std::uint32_t> keys;
    std::map<std::uint32_t, std::uint64_t> drawnIn;
};

using Numbers = std::vector<std::uint32_t>;

Numbers range(std::uint32_t first, std::uint32_t last) {
    Numbers numbers;
    for (; first <= last; ++first) numbers.push_back(first);
    return numbers;
}

}  // namespace

TEST_CASE("with key frames only, exactly these come out, the present group's at once") {
    Bench bench(16);
    bench.give(5);
    bench.tested.run(Decoding::keyFrames);
    CHECK(bench.tested.decoding() == Decoding::keyFrames);
    REQUIRE(bench.shown.has(1));
    bench.give(76);
    REQUIRE(bench.shown.has(81));
    REQUIRE(bench.all.has(81));
    CHECK(bench.shown.numbers() == Numbers{1, 17, 33, 49, 65, 81});
    CHECK(bench.shown.numbers() == bench.keys);
    CHECK(bench.tested.dropped() == 0);
    bench.checkShown();
}

TEST_CASE("of key frames that come more often, those of each second and a half or two come out") {
    Bench bench(6);  // 0.54 s
    bench.tested.run(Decoding::keyFrames);
    bench.give(1);
    bench.tested.run(Decoding::keyFrames);
    for (const std::uint32_t next : {19U, 37U, 55U}) {
        bench.give(18);
        REQUIRE(bench.shown.has(next));
    }
    CHECK(bench.shown.numbers() == Numbers{1, 19, 37, 55});
    bench.give(5);
    bench.tested.run(Decoding::all);
    REQUIRE(bench.shown.has(60));  // those left out before are no gap
    bench.tested.run(Decoding::keyFrames);
    bench.give(1);
    REQUIRE(bench.shown.has(61));  // it has begun anew
    bench.give(18);
    REQUIRE(bench.shown.has(79));
    REQUIRE(bench.all.has(79));
    CHECK(bench.shown.numbers() == Numbers{1, 19, 37, 55, 60, 61, 79});
    CHECK(bench.tested.dropped() == 0);
    bench.checkShown();
}

TEST_CASE(
    "in the middle of a group all are wanted: the newest comes at once, and none is missing from it on") {
    Bench bench(20);
    bench.tested.run(Decoding::keyFrames);
    bench.give(1);
    bench.tested.run(Decoding::keyFrames);
    bench.give(32);
    REQUIRE(bench.shown.has(21));
    bench.tested.run(Decoding::all);
    CHECK(bench.tested.decoding() == Decoding::all);
    REQUIRE(bench.shown.has(33));  // before the camera gives another one
    CHECK(bench.shown.numbers() == Numbers{1, 21, 33});
    bench.give(20);
    REQUIRE(bench.shown.has(53));
    REQUIRE(bench.all.has(53));
    Numbers expected = range(33, 53);
    expected.insert(expected.begin(), {1, 21});
    CHECK(bench.shown.numbers() == expected);
    CHECK(bench.tested.dropped() == 0);
    bench.checkShown();
}

TEST_CASE("right behind a key frame nothing comes twice") {
    Bench bench(20);
    bench.give(21);
    bench.tested.run(Decoding::keyFrames);
    SUBCASE("that has come out") {
        REQUIRE(bench.shown.has(21));
    }
    SUBCASE("that may still be on its way") {}
    bench.tested.run(Decoding::all);
    bench.give(3);
    REQUIRE(bench.shown.has(24));
    REQUIRE(bench.all.has(24));
    CHECK(bench.shown.numbers() == range(21, 24));
    bench.checkShown();
}

TEST_CASE("key frames only again: from the next picture on, and all again in the same group") {
    Bench bench(20);
    bench.give(3);
    bench.tested.run(Decoding::all);
    bench.give(4);
    bench.tested.run(Decoding::keyFrames);
    bench.give(3);
    REQUIRE(bench.shown.has(7));  // what was fed before comes out, without anything behind it
    bench.tested.run(Decoding::all);
    REQUIRE(bench.shown.has(10));
    bench.tested.run(Decoding::keyFrames);
    bench.tested.run(Decoding::all);  // nothing new: 10 does not come again
    bench.tested.run(Decoding::keyFrames);
    bench.give(12);
    REQUIRE(bench.shown.has(21));
    for (int round = 0; round < 5; ++round) {
        bench.give(2);
        bench.tested.run(Decoding::all);
        REQUIRE(bench.shown.has(bench.last));
        bench.tested.run(Decoding::keyFrames);
    }
    bench.give(9);
    REQUIRE(bench.shown.has(41));
    REQUIRE(bench.all.has(41));
    CHECK(bench.shown.numbers() == Numbers{3, 4, 5, 6, 7, 10, 21, 24, 26, 28, 30, 32, 41});
    bench.checkShown();
}

TEST_CASE("where the cache gave up the group, all begin with the next key frame") {
    Bench bench(28);  // 2.5 s
    bench.tested.run(Decoding::keyFrames);
    bench.give(1);
    bench.tested.run(Decoding::keyFrames);
    REQUIRE(bench.shown.has(1));
    CHECK(bench.stream.keepsGroups());
    bench.give(26);
    CHECK_FALSE(bench.stream.keepsGroups());
    bench.tested.run(Decoding::all);
    bench.give(4);
    REQUIRE(bench.shown.has(31));
    REQUIRE(bench.all.has(31));
    CHECK(bench.shown.numbers() == Numbers{1, 29, 30, 31});
    CHECK_FALSE(bench.stream.keepsGroups());  // nor did it the last one
    bench.checkShown();
}

TEST_CASE("B-frames: a key frame does not wait for the next one, and what leads it does not come behind it") {
    Bench bench(17, 100, kX264 + "bframes=2 b-adapt=false");
    REQUIRE(bench.clip.reordered());
    bench.give(5);
    bench.tested.run(Decoding::keyFrames);
    bench.give(25);
    REQUIRE(bench.keys.size() >= 2);
    REQUIRE(bench.shown.has(bench.keys.back()));
    CHECK(bench.shown.numbers() == bench.keys);
    for (std::size_t round = 0; round < 4; ++round) {
        const std::size_t before = bench.keys.size();
        while (bench.keys.size() == before) bench.give(1);
        REQUIRE(bench.shown.has(bench.keys.back()));
        bench.give(static_cast<int>(round));
        bench.tested.run(Decoding::all);
        bench.give(4);
        bench.tested.run(Decoding::keyFrames);
    }
    while (bench.given < bench.clip.units.size()) bench.give(1);
    REQUIRE(bench.shown.has(bench.keys.back()));
    bench.whole.run(Decoding::keyFrames);  // drains it
    REQUIRE(bench.all.has(bench.keys.back()));
    const auto numbers = bench.shown.numbers();
    for (const std::uint32_t key : bench.keys) CHECK(std::ranges::count(numbers, key) == 1);
    CHECK(numbers.size() > bench.keys.size() + 4);
    bench.checkShown();
}

TEST_CASE("open groups, whose key frames do not stand alone, are decoded whole after three of them") {
    Bench bench(17, 100, kX264 + "bframes=2 b-adapt=false option-string=open-gop=1");
    bench.give(1);
    bench.tested.run(Decoding::keyFrames);
    REQUIRE(bench.shown.has(1));
    while (bench.keys.size() < 4) {
        CHECK(bench.tested.decoding() == Decoding::keyFrames);
        bench.give(1);
        bench.tested.run(Decoding::keyFrames);
    }
    CHECK(bench.tested.decoding() == Decoding::all);
    const std::uint32_t from = bench.last;
    bench.give(20);
    REQUIRE(bench.shown.has(from + 10));
    bench.tested.run(Decoding::keyFrames);
    CHECK(bench.tested.decoding() == Decoding::all);
    CHECK(bench.shown.onlyForward());
    CHECK(bench.tested.failures() == 0);
}

TEST_CASE("H.265: key frames alone come out, and all of them from the middle of a group on") {
    if (!elementExists("x265enc")) {
        MESSAGE("skipped: there is no x265enc");
        return;
    }
    std::string options;
    bool reordered = true;
    SUBCASE("closed groups in the order in which they are shown") {
        options = "tune=zerolatency option-string=open-gop=0:scenecut=0";
        reordered = false;
    }
    SUBCASE("closed groups with B-frames") {
        options = "option-string=open-gop=0:scenecut=0:bframes=2";
    }
    SUBCASE("open groups, whose leading pictures are left out") {
        options = "option-string=open-gop=1:scenecut=0:bframes=2";
    }
    CAPTURE(options);
    Bench bench(17, 100, kX265 + options);
    REQUIRE(bench.clip.reordered() == reordered);
    bench.give(1);
    bench.tested.run(Decoding::keyFrames);
    while (bench.keys.size() < 5) {
        CHECK(bench.tested.decoding() == Decoding::keyFrames);
        const std::size_t before = bench.keys.size();
        while (bench.keys.size() == before) bench.give(1);
        REQUIRE(bench.shown.has(bench.keys.back()));
        bench.tested.run(Decoding::keyFrames);
    }
    CHECK(bench.shown.numbers() == bench.keys);
    bench.give(6);
    bench.tested.run(Decoding::all);
    const std::uint32_t from = bench.last;
    while (bench.given < bench.clip.units.size()) bench.give(1);
    bench.tested.run(Decoding::keyFrames);  // drains it
    bench.whole.run(Decoding::keyFrames);
    REQUIRE(bench.shown.has(bench.last - 2));
    REQUIRE(bench.all.has(bench.last - 2));
    CHECK(bench.shown.numbers().size() > bench.keys.size() + (bench.last - from) / 2);
    CHECK(bench.tested.dropped() == 0);
    bench.checkShown();
}
