// Whole cameras that play files: looped without a break in time.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "capture/gst.hpp"
#include "tests/support/camera_bench.hpp"
#include "tests/support/temp_folder.hpp"

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;
using test::CameraBench;
using test::decodeTimeOf;

namespace {

const StreamRequest kVideo{};

/// One second of a moving ball, 15 pictures, in an MP4; or of another pattern.
std::string makeClip(const std::string& folder, const std::string& coding,
                     const std::string& pattern = "ball") {
    startGStreamer();
    const std::string path = folder + "/clip.mp4";
    auto pipeline = Pipeline::parse("videotestsrc num-buffers=15 pattern=" + pattern +
                                    " ! "
                                    "video/x-raw,format=I420,width=320,height=180,framerate=15/1 ! " +
                                    coding + " ! filesink name=f");
    REQUIRE(pipeline);
    g_object_set(pipeline->element("f").get(), "location", path.c_str(), nullptr);
    bool ended = false;
    bool failed = false;
    pipeline->watch([&](GstMessage* message) {
        ended = ended || GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
        failed = failed || GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
    });
    REQUIRE(pipeline->play());
    REQUIRE(test::waitUntil([&] { return ended || failed; }, 20s));
    REQUIRE_FALSE(failed);
    return path;
}

/// Plays `count` access units of a file and checks that time goes on over the loops, at real-time pace.
void checkLoops(const std::string& path, std::size_t count, double picturesPerSecond) {
    CameraBench bench("file://" + path);
    auto lease = bench.camera->open(kVideo);
    REQUIRE(lease);
    CHECK((*lease)->kind() == RenditionKind::passthrough);
    const RenditionId id = (*lease)->rendition();
    REQUIRE(bench.until([&] { return bench.chunks(id, ChunkKind::accessUnit).size() >= count; }, 30s));
    CHECK(bench.camera->status().restarts == 0);
    CHECK(bench.chunks(id, ChunkKind::initSegment).size() == 1);
    const auto units = bench.chunks(id, ChunkKind::accessUnit);
    for (std::size_t i = 1; i < units.size(); ++i) {
        CHECK(decodeTimeOf(units[i]) > decodeTimeOf(units[i - 1]));
        CHECK(units[i].sequence == units[i - 1].sequence + 1);
        CHECK_FALSE(units[i].discontinuity);
    }
    const double played = static_cast<double>(decodeTimeOf(units.back()) - decodeTimeOf(units.front())) / 1e6;
    CHECK(played == doctest::Approx(static_cast<double>(units.size() - 1) / picturesPerSecond).epsilon(0.15));
}

std::ptrdiff_t countThreads() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

}  // namespace

TEST_CASE("a looped file goes on in time over three loops") {
    const test::TempFolder folder;
    checkLoops(makeClip(folder.path(), "x264enc bframes=0 key-int-max=15 ! mp4mux"), 50, 15);
}

TEST_CASE("a looped file with B-frames keeps its decode times increasing") {
    const test::TempFolder folder;
    checkLoops(makeClip(folder.path(), "x264enc bframes=2 b-adapt=false key-int-max=15 ! mp4mux"), 50, 15);
}

TEST_CASE("the real clip with B-frames plays") {
    const char* shared = std::getenv("EDGECAM_SHARED");
    const std::string clip = std::string(shared ? shared : "../shared") + "/media/clips/asl_again.mp4";
    if (!std::filesystem::exists(clip)) {
        MESSAGE("skipped: no ../shared/media/clips/asl_again.mp4");
        return;
    }
    checkLoops(std::filesystem::canonical(clip), 170, 30);
}

TEST_CASE("a file in another coding is decoded, and encoded for who watches") {
    const test::TempFolder folder;
    CameraBench bench("file://" + makeClip(folder.path(), "jpegenc ! qtmux"));
    auto lease = bench.camera->open(kVideo);
    REQUIRE(lease);
    REQUIRE(bench.untilState(CameraState::live));
    REQUIRE(bench.until([&] { return (*lease)->kind() == RenditionKind::encoded; }));
    REQUIRE(bench.untilChunks((*lease)->rendition(), 40));
    CHECK(bench.camera->status().restarts == 0);
}

TEST_CASE("pictures that stand still or are black: opened anew once, then degraded; others not") {
    const test::TempFolder folder;
    const PictureLimits limits{.frozenAfter = 1s, .blackAfter = 1s};
    const auto bench = [&](const std::string& coding, const std::string& pattern, const char* name) {
        const std::string path = folder.path() + "/" + name;
        std::filesystem::rename(makeClip(folder.path(), coding, pattern), path);
        return std::make_unique<CameraBench>("file://" + path, EncoderSettings{}, "", limits);
    };
    const auto still = bench("jpegenc ! qtmux", "smpte100", "still.mp4");
    const auto black = bench("jpegenc ! qtmux", "black", "black.mp4");
    const auto moving = bench("jpegenc ! qtmux", "ball", "moving.mp4");
    // Passed through: looked at only while somebody needs its pictures.
    const auto coded = bench("x264enc key-int-max=15 bframes=0 ! mp4mux", "smpte100", "coded.mp4");
    for (const auto& each :
         {std::pair{still.get(), "the picture is frozen"}, {black.get(), "the picture is black"}}) {
        CameraBench* const camera = each.first;
        const char* const cause = each.second;
        CAPTURE(cause);
        REQUIRE(camera->untilState(CameraState::degraded, 20s));
        CHECK(camera->camera->status().reason.starts_with(cause));
        CHECK(camera->camera->status().restarts == 1);
        const auto told = std::ranges::find(camera->states, CameraState::reconnecting, &CameraStatus::state);
        REQUIRE(told != camera->states.end());
        CHECK(told->reason.starts_with(cause));
    }
    CHECK(coded->camera->status().state == CameraState::live);
    coded->camera->look(5);
    CHECK(coded->untilState(CameraState::degraded, 20s));
    coded->camera->look(0);
    CHECK(coded->until([&] { return coded->camera->activity().decoding; }));  // to see when it is over
    CHECK(moving->camera->status().state == CameraState::live);
    CHECK(moving->camera->status().restarts == 0);
}

TEST_CASE("a file that is no video is a failure with a reason") {
    const test::TempFolder folder;
    const std::string path = folder.path() + "/clip.mp4";
    REQUIRE(g_file_set_contents(path.c_str(), "not a film", -1, nullptr));
    CameraBench bench("file://" + path);
    REQUIRE(bench.untilState(CameraState::reconnecting));
    CHECK_FALSE(bench.camera->status().reason.empty());
}

TEST_CASE("a device that hangs is said to, is not opened again and again, and touches no other camera") {
    const test::TempFolder folder;
    const std::string path = folder.path() + "/device";
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);  // open(2) waits for somebody who writes
    CameraBench other("test://bars?width=320&height=180");
    CameraBench hung("file://" + path);
    // It takes until the first picture is overdue before the camera is given up.
    REQUIRE(hung.untilState(CameraState::reconnecting, 20s));
    CHECK(hung.camera->status().reason.starts_with("no picture for more than"));
    CHECK(hung.until([&] { return hung.camera->status().reason.starts_with("the device hangs"); }, 20s));
    const auto threads = countThreads();
    const auto restarts = hung.camera->status().restarts;
    const auto pictures = other.camera->activity().pictures;
    CHECK(hung.until([&] { return hung.camera->status().restarts >= restarts + 2; }, 20s));
    CHECK(countThreads() <= threads);
    CHECK(other.camera->activity().pictures > pictures + 30);
    // The driver comes to its senses: the camera is opened again and told what is wrong now.
    const int writer = ::open(path.c_str(), O_WRONLY | O_NONBLOCK);
    CHECK(writer >= 0);
    ::close(writer);
    std::filesystem::remove(path);
    CHECK(hung.until([&] { return hung.camera->status().reason.starts_with("no such file"); }, 20s));
}
