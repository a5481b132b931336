#include "vision/camera_vision.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/heartbeat.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/vision/looking.hpp"
#include "vision/vision_thread.hpp"

using namespace edgecam;
using namespace edgecam::vision;
using namespace edgecam::test;
using namespace std::chrono_literals;

namespace {

/// A camera that is looked through, alone with its thread.
class Bench {
  public:
    explicit Bench(Look look)
        : thread_(std::make_unique<FakeDetector>(std::move(look)), clock_),
          camera_(thread_.add("cam_1", record_.callbacks())) {}

    void put(std::uint32_t sequence, const std::shared_ptr<std::vector<std::uint8_t>>& luma = nullptr) {
        Picture picture;
        if (luma) picture.planes[0] = {luma->data(), 640};
        picture.pixels = luma;
        picture.size = {640, 360};
        picture.sequence = sequence;
        picture.captureTime = clock_.utc() + sequence * 100ms;
        camera_->pictures().put(std::move(picture));
    }
    /// Puts one picture after the other, each when the last one has been analysed.
    void analyse(std::uint32_t first, std::uint32_t last) {
        for (std::uint32_t i = first; i <= last; ++i) {
            const auto before = record_.seen().size();
            put(i);
            REQUIRE(record_.hasSeen(before + 1));
        }
    }
    /// Puts one and waits until the thread is through with it, looked at or not.
    void takeIn(std::uint32_t sequence, const std::shared_ptr<std::vector<std::uint8_t>>& luma) {
        const auto done = [this] { return camera_->figures().analysed + camera_->figures().still; };
        const auto before = done();
        put(sequence, luma);
        const auto limit = std::chrono::steady_clock::now() + kDeadline;
        while (done() == before && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
        REQUIRE(done() == before + 1);
    }
    void stop() { camera_.reset(); }
    VisionThread& thread() { return thread_; }
    CameraVision& camera() { return *camera_; }
    Record& record() { return record_; }
    FakeClock& clock() { return clock_; }

  private:
    FakeClock clock_;
    Record record_;
    VisionThread thread_;
    VisionThread::Place camera_;
};

}  // namespace

TEST_CASE("detections and events name the picture that was analysed") {
    // The face's place says which picture the detector was given.
    Bench bench([](const Picture& picture) -> Result<std::vector<Face>> {
        Face face = kFace;
        face.box.x = 0.001F * static_cast<float>(picture.sequence);
        return std::vector{face};
    });
    bench.analyse(41, 52);
    bench.stop();
    const auto seen = bench.record().seen();
    REQUIRE(seen.size() == 12);
    CHECK(seen[0].faces.empty());  // not confirmed yet
    for (std::size_t i = 1; i < seen.size(); ++i) {
        CHECK(seen[i].cameraId == "cam_1");
        CHECK(seen[i].frame.sequence == 41 + i);
        REQUIRE(seen[i].faces.size() == 1);
        CHECK(seen[i].faces[0].face.box.x == doctest::Approx(0.001 * seen[i].frame.sequence));
    }
    const auto told = bench.record().told();
    REQUIRE(told.size() == 2);
    CHECK(told[0].phase == FacePhase::enter);
    CHECK(told[0].frame.sequence == 42);
    CHECK(told[1].phase == FacePhase::leave);
    CHECK(told[1].frame.sequence == 52);
    CHECK(told[1].face.box.x == doctest::Approx(0.052));
}

TEST_CASE("while one picture is analysed only the newest waits, and the skipped are counted") {
    std::promise<void> begun;
    std::promise<void> mayEnd;
    Bench bench([&](const Picture& picture) -> Result<std::vector<Face>> {
        if (picture.sequence == 1) {
            begun.set_value();
            mayEnd.get_future().wait_for(kDeadline);
        }
        return std::vector<Face>{};
    });
    bench.put(1);
    REQUIRE(begun.get_future().wait_for(kDeadline) == std::future_status::ready);
    for (const std::uint32_t sequence : {2U, 3U, 4U}) bench.put(sequence);
    mayEnd.set_value();
    REQUIRE(bench.record().hasSeen(2));
    CHECK(bench.record().seen()[0].frame.sequence == 1);
    CHECK(bench.record().seen()[1].frame.sequence == 4);
    CHECK(bench.camera().figures().analysed == 2);
    CHECK(bench.camera().figures().skipped == 2);
}

TEST_CASE("stopping lets the live faces leave, after all else") {
    Bench bench(oneFace);
    bench.analyse(1, 3);
    bench.stop();
    const auto told = bench.record().told();
    REQUIRE(told.size() == 2);
    CHECK(told[1].phase == FacePhase::leave);
    CHECK(told[1].frame.sequence == 3);
    CHECK(told[1].eventId != told[0].eventId);
}

TEST_CASE("a picture that fails is counted and tells nothing; the next one is analysed") {
    std::promise<void> failing;
    Bench bench([&](const Picture& picture) -> Result<std::vector<Face>> {
        if (picture.sequence != 3) return std::vector{kFace};
        failing.set_value();
        return Error{"no good"};
    });
    bench.analyse(1, 2);
    bench.put(3);
    REQUIRE(failing.get_future().wait_for(kDeadline) == std::future_status::ready);
    bench.analyse(4, 4);
    CHECK(bench.camera().figures().failed == 1);
    CHECK(bench.camera().figures().analysed == 3);
    const auto seen = bench.record().seen();
    CHECK(seen.back().frame.sequence == 4);
    REQUIRE(seen.back().faces.size() == 1);
    CHECK(seen.back().faces[0].trackId == seen[1].faces[0].trackId);
}

TEST_CASE("when no picture comes any more the live faces leave") {
    Bench bench(oneFace);
    bench.analyse(1, 2);
    REQUIRE(bench.record().hasTold(1));
    bench.clock().advance(10s);
    REQUIRE(bench.record().hasTold(2));
    CHECK(bench.record().told()[1].phase == FacePhase::leave);
    CHECK(bench.record().told()[1].frame.sequence == 2);
    bench.stop();
    CHECK(bench.record().told().size() == 2);
}

TEST_CASE("pictures that come more seldom on purpose keep their faces, once that is told") {
    for (const bool tell : {false, true}) {
        Bench bench(oneFace);
        bench.analyse(1, 2);
        REQUIRE(bench.record().hasTold(1));
        if (tell) bench.camera().retune(trackerSettings(0.6F, 0.2));
        bench.analyse(52, 52);  // 5 s later
        CAPTURE(tell);
        bench.stop();
        REQUIRE(bench.record().told().size() == 2);
        CHECK(bench.record().told()[1].phase == FacePhase::leave);
        CHECK(bench.record().told()[1].frame.sequence == (tell ? 52 : 2));
    }
}

TEST_CASE("from the next picture on the rules of the scene are those that were told") {
    Bench bench(oneFace);
    bench.analyse(1, 2);
    REQUIRE(bench.record().hasTold(1));
    CHECK(bench.record().told()[0].zones.empty());
    const Polygon all{{0, 0}, {1, 0}, {1, 1}, {0, 1}};
    bench.camera().retune(SceneRules{.zones = {{"all", all}}, .ignored = {}, .minFacePx = 0});
    bench.analyse(12, 13);
    REQUIRE(bench.record().hasTold(2));
    CHECK(bench.record().told()[1].phase == FacePhase::update);
    CHECK(bench.record().told()[1].zonesEntered == std::vector<std::string>{"all"});
    bench.camera().retune(SceneRules{.zones = {}, .ignored = {all}, .minFacePx = 0});
    bench.analyse(14, 14);
    CHECK(bench.record().seen().back().faces.empty());
    bench.stop();
    REQUIRE(bench.record().told().size() == 3);
    CHECK(bench.record().told()[2].frame.sequence == 13);
}

TEST_CASE(
    "where nobody is followed and nothing changes nothing is looked through; a face that is followed always "
    "is") {
    for (const bool face : {false, true}) {
        std::atomic<int> looked{0};
        Bench bench([&](const Picture&) -> Result<std::vector<Face>> {
            ++looked;
            return face ? std::vector{kFace} : std::vector<Face>{};
        });
        const auto pixels = std::make_shared<std::vector<std::uint8_t>>(640 * 360, std::uint8_t{90});
        for (std::uint32_t i = 0; i < 30; ++i) bench.takeIn(i, pixels);
        CAPTURE(face);
        CHECK(looked == (face ? 30 : 10));  // the first second
        CHECK(bench.camera().figures().still == (face ? 0 : 20));
    }
}

TEST_CASE("the processor time of analyses is counted") {
    Bench bench([](const Picture&) -> Result<std::vector<Face>> {
        volatile unsigned worked = 0;
        for (unsigned i = 0; i < 5'000'000; ++i) worked = worked + i;
        return std::vector<Face>{};
    });
    bench.analyse(1, 1);
    CHECK(bench.camera().figures().processorTime > 0us);
}

TEST_CASE("a camera without listeners, or without a picture, stops as well") {
    FakeClock clock;
    VisionThread thread(std::make_unique<FakeDetector>(oneFace), clock);
    const auto silent = thread.add("cam_1", {});
    silent->pictures().put({});
    const auto idle = thread.add("cam_2", {});
    CHECK(idle->figures().analysed == 0);
}

TEST_CASE("a camera is looked through with another detector: tracks leave, ids and counters go on") {
    Bench bench(oneFace);
    bench.analyse(1, 3);
    REQUIRE(bench.record().told().size() == 1);
    const auto first = bench.record().told().front().trackId;
    bench.thread().replace(std::make_unique<FakeDetector>([](const Picture&) -> Result<std::vector<Face>> {
        Face face = kFace;
        face.box.x = 0.7F;
        return std::vector{face};
    }));
    bench.analyse(4, 6);
    bench.stop();
    const auto told = bench.record().told();
    REQUIRE(told.size() == 4);  // each comes and leaves
    CHECK(told[1].phase == FacePhase::leave);
    CHECK(told[1].trackId == first);
    CHECK(told[2].phase == FacePhase::enter);
    CHECK(told[2].trackId == first + 1);
    CHECK(told[2].face.box.x == doctest::Approx(0.7));
    CHECK(bench.record().seen().size() == 6);
}

TEST_CASE("a thread whose analysis does not end stands still for whoever watches, and turns again") {
    const auto turns = [] {
        std::uint64_t sum = 0;
        for (const auto& sign : Heartbeat::all()) sum += sign.name == "vision" ? sign.turns : 0;
        return sum;
    };
    std::promise<void> begun;
    std::promise<void> mayEnd;
    std::atomic<bool> first{true};
    Bench bench([&](const Picture&) -> Result<std::vector<Face>> {
        if (!first.exchange(false)) return std::vector<Face>{};
        begun.set_value();
        mayEnd.get_future().wait();
        return std::vector<Face>{};
    });
    bench.put(1);
    begun.get_future().wait();
    const auto stuck = turns();
    CHECK(stuck > 0);
    bench.put(2);
    CHECK(turns() == stuck);
    mayEnd.set_value();
    REQUIRE(bench.record().hasSeen(2));
    CHECK(turns() > stuck);
}

TEST_CASE("all pictures are wanted from the first sight of a face on until nobody is followed") {
    std::atomic<bool> there = false;
    Bench bench([&](const Picture&) { return there ? std::vector<Face>{kFace} : std::vector<Face>{}; });
    bench.analyse(1, 3);
    CHECK(bench.record().hasAttended({}));
    there = true;
    bench.analyse(4, 4);
    CHECK(bench.record().hasAttended({true}));
    CHECK(bench.record().told().empty());
    there = false;
    bench.analyse(5, 5);  // it was none
    CHECK(bench.record().hasAttended({true, false}));
    there = true;
    bench.analyse(6, 9);
    CHECK(bench.record().hasAttended({true, false, true}));
    bench.stop();
    CHECK(bench.record().hasAttended({true, false, true, false}));
}

TEST_CASE("a face in a key frame is followed from there on when the next pictures come two seconds late") {
    Bench bench([](const Picture& picture) {
        return picture.sequence < 40 ? std::vector<Face>{} : std::vector<Face>{kFace};
    });
    for (const std::uint32_t key : {1U, 21U, 41U}) bench.analyse(key, key);
    CHECK(bench.record().hasAttended({true}));
    bench.analyse(43, 43);
    REQUIRE(bench.record().hasTold(1));
    CHECK(bench.record().told()[0].phase == FacePhase::enter);
}
