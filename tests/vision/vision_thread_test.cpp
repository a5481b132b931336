#include "vision/vision_thread.hpp"

#include <doctest/doctest.h>

#include <future>
#include <map>
#include <opencv2/core.hpp>
#include <thread>

#include "tests/support/fake_clock.hpp"
#include "tests/vision/looking.hpp"
#include "vision/opencv_call.hpp"

using namespace edgecam;
using namespace edgecam::vision;
using namespace edgecam::test;
using namespace std::chrono_literals;

namespace {

// A picture's size says whose it is.
constexpr int kHeight = 360;

/// Which pictures a detector was given; it may hold each one until it is told to go on.
class Watch {
  public:
    /// Held from now on: each picture until step().
    void hold() {
        const std::lock_guard lock(mutex_);
        holds_ = true;
        released_ = order_.size();
    }
    /// Lets the one that is held go, and waits for the next.
    void step() {
        std::unique_lock lock(mutex_);
        const auto next = order_.size() + 1;
        ++released_;
        changed_.notify_all();
        REQUIRE(changed_.wait_for(lock, kDeadline, [&] { return order_.size() == next; }));
    }
    void letGo() {
        const std::lock_guard lock(mutex_);
        holds_ = false;
        changed_.notify_all();
    }
    /// The cameras whose pictures have been looked at, or are, in order: a letter each.
    std::string order(std::size_t atLeast) {
        std::unique_lock lock(mutex_);
        REQUIRE(changed_.wait_for(lock, kDeadline, [&] { return order_.size() >= atLeast; }));
        return order_;
    }
    std::unique_ptr<FaceDetector> detector(Look look = oneFace) {
        return std::make_unique<FakeDetector>([this, look = std::move(look)](const Picture& picture) {
            take(static_cast<char>(picture.size.width));
            return look(picture);
        });
    }

  private:
    void take(char camera) {
        std::unique_lock lock(mutex_);
        order_ += camera;
        changed_.notify_all();
        const auto mine = order_.size();
        changed_.wait(lock, [&] { return !holds_ || released_ >= mine; });
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::string order_;
    std::size_t released_ = 0;
    bool holds_ = false;
};

/// Several cameras and their thread. Cameras are named by a letter.
class Bench {
  public:
    explicit Bench(Look look = oneFace) : thread_(watch_.detector(std::move(look)), clock_) {}
    ~Bench() { watch_.letGo(); }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    void add(const std::string& names) {
        for (const char name : names) places_[name] = thread_.add({name}, records_[name].callbacks());
    }
    void remove(char name) { places_.erase(name); }
    void put(const std::string& names) {
        for (const char name : names) {
            Picture picture;
            picture.size = {name, kHeight};
            picture.sequence = ++sequences_[name];
            picture.captureTime = clock_.utc() + picture.sequence * 100ms;
            places_.at(name)->pictures().put(std::move(picture));
        }
    }
    /// Each of them has two pictures looked at, and so a face that is followed.
    void follow(const std::string& names) {
        for (const char name : names) {
            for (int i = 0; i < 2; ++i) {
                const auto before = records_[name].seen().size();
                put({name});
                REQUIRE(records_[name].hasSeen(before + 1));
            }
            REQUIRE(records_[name].hasTold(1));
        }
    }
    CameraVision& camera(char name) { return *places_.at(name); }
    Record& record(char name) { return records_[name]; }
    VisionThread& thread() { return thread_; }
    Watch& watch() { return watch_; }
    FakeClock& clock() { return clock_; }

  private:
    FakeClock clock_;
    Watch watch_;
    std::map<char, Record> records_;
    std::map<char, std::uint32_t> sequences_;
    VisionThread thread_;
    std::map<char, VisionThread::Place> places_;
};

Result<std::vector<Face>> nobody(const Picture&) {
    return std::vector<Face>{};
}

}  // namespace

TEST_CASE("a camera with few pictures is next among those with many, and only their pictures are skipped") {
    Bench bench(nobody);
    bench.watch().hold();
    bench.add("abs");
    bench.put("a");
    CHECK(bench.watch().order(1) == "a");
    for (int turn = 1; turn <= 12; ++turn) {
        bench.put("aaabbb");  // three times as many as can be looked at
        if (turn % 5 == 0) bench.put("s");
        bench.watch().step();
    }
    // What s puts in is looked at before any of the others has two turns.
    CHECK(bench.watch().order(13) ==
          "ababa"
          "s"
          "baba"
          "s"
          "ba");
    CHECK(bench.camera('s').figures().skipped == 0);
    CHECK(bench.camera('a').figures().skipped > 20);
    CHECK(bench.camera('b').figures().skipped > 20);
}

TEST_CASE("the newest picture of a camera is what is looked at, and what is seen is told to its own") {
    Bench bench;
    bench.watch().hold();
    bench.add("ab");
    bench.put("a");
    CHECK(bench.watch().order(1) == "a");
    bench.put("bbbaa");
    bench.watch().step();
    bench.watch().letGo();
    REQUIRE(bench.record('a').hasSeen(2));
    REQUIRE(bench.record('b').hasSeen(1));
    CHECK(bench.record('a').seen()[1].frame.sequence == 3);
    CHECK(bench.record('b').seen()[0].frame.sequence == 3);
    CHECK(bench.record('b').seen()[0].cameraId == "b");
    CHECK(bench.camera('a').figures().skipped == 1);
    CHECK(bench.camera('b').figures().skipped == 2);
}

TEST_CASE("each camera follows its own faces, by its own numbers") {
    Bench bench;
    bench.add("ab");
    bench.follow("ab");
    for (const char name : {'a', 'b'}) {
        REQUIRE(bench.record(name).told().size() == 1);
        CHECK(bench.record(name).told()[0].trackId == 1);
        CHECK(bench.record(name).told()[0].cameraId == std::string{name});
    }
}

TEST_CASE("what fails for one camera's pictures is counted there and leaves the others alone") {
    settleOpenCv();
    const auto throws = [](const Picture& picture) {
        return callOpenCv([&]() -> Result<std::vector<Face>> {
            CV_Assert(picture.size.width != 'x');
            if (picture.size.width == 'y') throw std::bad_alloc();
            return std::vector{kFace};
        });
    };
    Bench bench(throws);
    bench.add("axy");
    for (std::size_t i = 1; i <= 5; ++i) {
        bench.put("xya");
        bench.watch().order(3 * i);
        REQUIRE(bench.record('a').hasSeen(i));
    }
    CHECK(bench.camera('a').figures().failed == 0);
    CHECK(bench.camera('a').figures().analysed == 5);
    CHECK(bench.record('a').told().size() == 1);
    bench.put("xy");  // the turns before are over when those of these have begun
    bench.watch().order(17);
    CHECK(bench.camera('x').figures().failed >= 5);
    CHECK(bench.camera('x').figures().analysed == 0);
    CHECK(bench.camera('y').figures().analysed == 0);
    CHECK(bench.record('x').seen().empty());
}

TEST_CASE("a camera comes and one goes while another's picture is looked through, and nobody waits") {
    Bench bench;
    bench.add("ab");
    bench.follow("ab");
    bench.watch().hold();
    bench.put("a");
    bench.watch().order(5);
    bench.put("b");
    bench.remove('b');  // while a's analysis stands still
    REQUIRE(bench.record('b').told().size() == 2);
    CHECK(bench.record('b').told()[1].phase == FacePhase::leave);
    bench.add("c");
    bench.put("c");
    bench.watch().step();
    CHECK(bench.watch().order(6) == "aabbac");  // b's last picture is let go of
    bench.watch().letGo();
    REQUIRE(bench.record('c').hasSeen(1));
    CHECK(bench.record('b').seen().size() == 2);
    CHECK(bench.record('a').told().size() == 1);  // is followed on
}

TEST_CASE("a camera that goes while its own picture is looked through waits for that, then its faces leave") {
    Bench bench;
    bench.add("ab");
    bench.follow("ab");
    bench.watch().hold();
    bench.put("a");
    bench.watch().order(5);
    bench.put("a");
    auto gone = std::async(std::launch::async, [&] { bench.remove('a'); });
    bench.watch().letGo();
    REQUIRE(gone.wait_for(kDeadline) == std::future_status::ready);
    // The one that was looked through is told of, and the leave is the last word.
    const auto told = bench.record('a').told();
    REQUIRE(told.size() == 2);
    CHECK(told[1].phase == FacePhase::leave);
    CHECK(told[1].frame.sequence == bench.record('a').seen().back().frame.sequence);
    CHECK(bench.record('a').seen().size() >= 3);
    CHECK(bench.record('b').told().size() == 1);
}

TEST_CASE("another detector looks through all cameras: all faces leave first, ids and counters go on") {
    Bench bench;
    bench.add("ab");
    bench.follow("ab");
    bench.watch().hold();
    bench.put("a");
    bench.watch().order(5);
    Watch second;
    bench.thread().replace(nullptr);
    bench.thread().replace(second.detector());  // neither waits; the last call counts
    bench.watch().letGo();
    // Without a picture as well.
    for (const char name : {'a', 'b'}) {
        REQUIRE(bench.record(name).hasTold(2));
        CHECK(bench.record(name).told()[1].phase == FacePhase::leave);
    }
    CHECK(bench.record('a').told()[1].frame.sequence == 3);
    const auto before = bench.record('a').seen().size();
    CHECK(before == 3);
    for (std::size_t i = 1; i <= 2; ++i) {
        bench.put("a");
        REQUIRE(bench.record('a').hasSeen(before + i));
    }
    CHECK(second.order(2) == "aa");
    CHECK(bench.watch().order(5) == "aabba");
    REQUIRE(bench.record('a').hasTold(3));
    CHECK(bench.record('a').told()[2].phase == FacePhase::enter);
    CHECK(bench.record('a').told()[2].trackId == 2);
    CHECK(bench.camera('a').figures().analysed == 5);
}

TEST_CASE("pictures are fitted into another size from the next one on, and who is followed is followed on") {
    class Sized final : public FaceDetector {
      public:
        explicit Sized(std::vector<int>& widths) : widths_(widths) {}
        Result<std::vector<Face>> detect(const Picture& picture) override {
            widths_.push_back(width_);
            return oneFace(picture);
        }
        void fitInto(Size size) override { width_ = size.width; }
        [[nodiscard]] std::string name() const override { return "sized"; }

      private:
        std::vector<int>& widths_;
        int width_ = 0;
    };
    Bench bench;
    std::vector<int> widths;
    bench.thread().replace(std::make_unique<Sized>(widths));
    bench.add("a");
    bench.follow("a");
    bench.thread().fitInto({480, 270});
    bench.thread().fitInto({320, 180});
    bench.put("a");
    REQUIRE(bench.record('a').hasSeen(3));
    CHECK(bench.record('a').told().size() == 1);
    // A new detector has a size of its own.
    bench.thread().fitInto({480, 270});
    std::vector<int> others;
    bench.thread().replace(std::make_unique<Sized>(others));
    bench.put("a");
    REQUIRE(bench.record('a').hasSeen(4));
    CHECK(widths == std::vector{0, 0, 320});
    CHECK(others == std::vector{0});
}

TEST_CASE(
    "without a detector pictures are let go of, and with the next one cameras are looked through again") {
    Bench bench;
    bench.add("ab");
    bench.follow("a");
    bench.thread().replace(nullptr);
    REQUIRE(bench.record('a').hasTold(2));
    CHECK(bench.record('a').told()[1].phase == FacePhase::leave);
    const std::weak_ptr<int> pixels = [&] {
        Picture picture;
        const auto held = std::make_shared<int>(1);
        picture.pixels = held;
        picture.size = {'a', kHeight};
        bench.camera('a').pictures().put(std::move(picture));
        return held;
    }();
    const auto limit = std::chrono::steady_clock::now() + kDeadline;
    while (!pixels.expired() && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    CHECK(pixels.expired());
    CHECK(bench.camera('a').figures().analysed == 2);
    CHECK(bench.camera('a').figures().failed == 0);
    Watch second;
    bench.thread().replace(second.detector());
    bench.put("b");
    CHECK(second.order(1) == "b");
    REQUIRE(bench.record('b').hasSeen(1));
}

TEST_CASE("the faces of a camera that gives no picture any more leave, while others are looked through") {
    Bench bench;
    bench.add("ab");
    bench.follow("ab");
    bench.clock().advance(10s);
    bench.put("b");
    REQUIRE(bench.record('a').hasTold(2));
    CHECK(bench.record('a').told()[1].phase == FacePhase::leave);
}

TEST_CASE("cameras and detectors come and go while pictures come: who entered has left") {
    Bench bench;
    std::map<char, std::size_t> entered;
    for (int round = 0; round < 50; ++round) {
        bench.add("abc");
        std::vector<std::thread> producers;
        for (const char name : {'a', 'b', 'c'}) {
            producers.emplace_back([&, eyes = &bench.camera(name), name] {
                for (std::uint32_t i = 1; i <= 20; ++i) {
                    Picture picture;
                    picture.size = {name, kHeight};
                    picture.sequence = i;
                    picture.captureTime = bench.clock().utc() + i * 100ms;
                    eyes->pictures().put(std::move(picture));
                }
            });
        }
        bench.thread().replace(bench.watch().detector());
        for (std::thread& producer : producers) producer.join();
        for (const char name : {'b', 'a', 'c'}) bench.remove(name);
    }
    for (const char name : {'a', 'b', 'c'}) {
        CAPTURE(name);
        std::ptrdiff_t present = 0;
        for (const FaceEvent& event : bench.record(name).told()) {
            if (event.phase == FacePhase::enter) ++present;
            if (event.phase == FacePhase::leave) --present;
            CHECK(present >= 0);
            CHECK(present <= 1);
        }
        CHECK(present == 0);
    }
}
