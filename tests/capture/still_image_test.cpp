#include "capture/still_image.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "capture/gst.hpp"
#include "tests/support/temp_folder.hpp"

using namespace edgecam;
using namespace edgecam::capture;

namespace {

/// A picture of one colour, its rows padded by `padding` bytes.
Picture flat(Size size, std::array<std::uint8_t, 3> yuv, int padding = 0) {
    Picture picture;
    picture.size = size;
    const auto pixels = std::make_shared<std::array<ByteBuffer, 3>>();
    for (std::size_t i = 0; i < 3; ++i) {
        const int width = i == 0 ? size.width : (size.width + 1) / 2;
        const int height = i == 0 ? size.height : (size.height + 1) / 2;
        (*pixels)[i].assign(static_cast<std::size_t>(width + padding) * static_cast<std::size_t>(height),
                            yuv[i]);
        picture.planes[i] = {(*pixels)[i].data(), width + padding};
    }
    picture.pixels = pixels;
    return picture;
}

int valueAt(const Picture& picture, std::size_t plane, int x, int y) {
    return picture.planes[plane].data[static_cast<std::ptrdiff_t>(y) * picture.planes[plane].stride + x];
}

void checkNear(const Picture& picture, int x, int y, std::array<int, 3> yuv) {
    CAPTURE(picture.size.width);
    CHECK(std::abs(valueAt(picture, 0, x, y) - yuv[0]) <= 3);
    CHECK(std::abs(valueAt(picture, 1, x / 2, y / 2) - yuv[1]) <= 3);
    CHECK(std::abs(valueAt(picture, 2, x / 2, y / 2) - yuv[2]) <= 3);
}

/// A picture of one colour as a file of GStreamer's making.
std::string fileOf(const test::TempFolder& folder, const std::string& name, const std::string& caps,
                   const std::string& encoder) {
    const std::string path = folder.path() + "/" + name;
    auto pipeline =
        Pipeline::parse("videotestsrc num-buffers=1 pattern=solid-color foreground-color=0xffff8000 ! " +
                        caps + " ! " + encoder + " ! filesink location=" + path);
    REQUIRE(pipeline);
    REQUIRE(pipeline->play());
    const auto bus = adopt(gst_element_get_bus(pipeline->top()));
    const auto end = adopt(gst_bus_timed_pop_filtered(
        bus.get(), 20 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    REQUIRE(GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS);
    return path;
}

std::string errorOf(const std::string& path) {
    const auto picture = readPicture(path);
    return picture ? "read" : picture.error().message;
}

void write(const std::string& path, ByteView bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

TEST_CASE("PNG and JPEG files are read, odd sizes too") {
    const test::TempFolder folder;
    // Orange, ffff8000, in BT.601: Y = 16 + 219 * 0.593, Cb = 128 + 224 * -0.335, Cr = 128 + 224 * 0.291.
    for (const char* size :
         {"width=64,height=48", "width=33,height=17", "width=1,height=1", "width=3,height=2"}) {
        CAPTURE(std::string(size));
        const auto png =
            readPicture(fileOf(folder, "a.png", "video/x-raw,format=RGB," + std::string(size), "pngenc"));
        REQUIRE(png);
        checkNear(*png, 0, 0, {146, 53, 193});
        checkNear(*png, png->size.width - 1, png->size.height - 1, {146, 53, 193});
        CHECK(std::string(size) ==
              "width=" + std::to_string(png->size.width) + ",height=" + std::to_string(png->size.height));
    }
    const auto jpeg = readPicture(fileOf(
        folder, "a.jpg", "video/x-raw,format=I420,width=320,height=240,colorimetry=1:4:0:0", "jpegenc"));
    REQUIRE(jpeg);
    CHECK(jpeg->size == Size{320, 240});
    checkNear(*jpeg, 100, 100, {146, 53, 193});
}

TEST_CASE("What is encoded as JPEG is read back with the same colours") {
    for (const Size size : {Size{640, 480}, Size{1280, 720}, Size{33, 17}, Size{1, 1}}) {
        for (const int padding : {0, 13}) {
            const Picture orange = flat(size, {146, 53, 193}, padding);
            const auto jpeg = encodeJpeg(orange, 90);
            REQUIRE(jpeg);
            CHECK(*encodeJpeg(orange, 90) == *jpeg);  // nothing but the picture is in it
            const auto again = decodePicture(*jpeg);
            REQUIRE(again);
            CHECK(again->size == size);
            checkNear(*again, size.width / 2, size.height / 2, {146, 53, 193});
        }
    }
}

TEST_CASE("A better JPEG is a larger one, and the quality has a range") {
    const Picture picture =
        withBoxes(flat({320, 240}, {100, 128, 128}), std::vector<RectNorm>{{0.1F, 0.1F, 0.5F, 0.5F}});
    CHECK(encodeJpeg(picture, 95)->size() > encodeJpeg(picture, 20)->size());
    CHECK_FALSE(encodeJpeg(picture, 0));
    CHECK_FALSE(encodeJpeg(picture, 101));
    CHECK_FALSE(encodeJpeg(Picture{}, 90));
}

TEST_CASE("Missing and broken files are refused with their name and what is wrong") {
    const test::TempFolder folder;
    const std::string path = folder.path() + "/broken";
    CHECK(errorOf(path) == path + ": No such file or directory");
    CHECK(errorOf(folder.path()).starts_with(folder.path() + ": "));
    write(path, {});
    CHECK(errorOf(path) == path + ": cannot be read, or is empty");
    write(path, viewOf("GIF89a and more"));
    CHECK(errorOf(path) == path + ": neither JPEG nor PNG");

    const ByteBuffer jpeg = *encodeJpeg(flat({320, 240}, {146, 53, 193}), 90);
    for (const std::size_t length : {std::size_t{3}, std::size_t{100}, jpeg.size() / 2}) {
        CAPTURE(length);
        write(path, ByteView(jpeg).first(length));
        CHECK(errorOf(path) == path + ": it is broken or incomplete");
    }
    const std::string png = fileOf(folder, "a.png", "video/x-raw,format=RGB,width=64,height=48", "pngenc");
    std::filesystem::resize_file(png, std::filesystem::file_size(png) / 2);
    CHECK(errorOf(png) == png + ": it is broken or incomplete");
}

TEST_CASE("A picture that would fill the memory is refused before it is decoded") {
    const test::TempFolder folder;
    const std::string path =
        fileOf(folder, "a.png", "video/x-raw,format=GRAY8,width=8200,height=16", "pngenc");
    CHECK(errorOf(path) == path + ": larger than 8192 pixels a side");
    CHECK(readPicture(fileOf(folder, "b.png", "video/x-raw,format=GRAY8,width=8192,height=16", "pngenc")));
}

TEST_CASE("Boxes are drawn on a copy, inside their rectangle") {
    const Picture grey = flat({640, 360}, {100, 128, 128}, 7);
    const Picture drawn = withBoxes(grey, std::vector<RectNorm>{{0.25F, 0.25F, 0.5F, 0.5F}});
    CHECK(drawn.size == grey.size);
    CHECK(valueAt(grey, 0, 160, 90) == 100);
    CHECK(valueAt(drawn, 0, 160, 90) == 149);
    CHECK(valueAt(drawn, 1, 80, 45) == 43);
    CHECK(valueAt(drawn, 0, 479, 269) == 149);
    CHECK(valueAt(drawn, 0, 159, 90) == 100);
    CHECK(valueAt(drawn, 0, 480, 200) == 100);
    CHECK(valueAt(drawn, 0, 320, 180) == 100);
}

TEST_CASE("Boxes that lie partly or wholly outside, or are empty, are harmless") {
    for (const Size size : {Size{641, 361}, Size{1, 1}}) {
        const Picture drawn =
            withBoxes(flat(size, {100, 128, 128}),
                      std::vector<RectNorm>{
                          {-0.5F, -0.5F, 0.7F, 0.7F}, {0.9F, 0.9F, 5, 5}, {2, 2, 1, 1}, {0.5F, 0.5F, 0, 0}});
        CHECK(drawn.size == size);
        CHECK(encodeJpeg(drawn, 80));
    }
}

TEST_CASE("Real photographs are read at their size") {
    const char* shared = std::getenv("EDGECAM_SHARED");
    const std::filesystem::path folder =
        std::filesystem::path(shared ? shared : "../shared") / "media" / "faces";
    if (!std::filesystem::exists(folder)) {
        MESSAGE("skipped: there is no " << folder.string());
        return;
    }
    int read = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".jpg" && entry.path().extension() != ".png") continue;
        const auto picture = readPicture(entry.path());
        INFO(entry.path().string());
        CHECK(picture);
        ++read;
    }
    CHECK(read > 0);
}
