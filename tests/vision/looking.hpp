// What tests of looking share: a detector that answers what a test wants, and a record of what was told.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "vision/camera_vision.hpp"

namespace edgecam::test {

constexpr auto kDeadline = std::chrono::seconds(30);  // only ever reached by a failure
const Face kFace{{0.1F, 0.1F, 0.2F, 0.3F}, 0.9F, {}};

using Look = std::function<Result<std::vector<Face>>(const Picture&)>;

inline std::vector<Face> oneFace(const Picture&) {
    return {kFace};
}

/// The seam: answers what a test wants.
class FakeDetector final : public vision::FaceDetector {
  public:
    explicit FakeDetector(Look look) : look_(std::move(look)) {}
    Result<std::vector<Face>> detect(const Picture& picture) override { return look_(picture); }
    void fitInto(Size) override {}
    [[nodiscard]] std::string name() const override { return "fake"; }

  private:
    const Look look_;
};

/// Everything a camera's looking said, in order; waits for more with a deadline.
class Record {
  public:
    vision::CameraVision::Callbacks callbacks() {
        return {[this](const Detections& detections) { add([&] { seen_.push_back(detections); }); },
                [this](const FaceEvent& event) { add([&] { told_.push_back(event); }); },
                [this](bool attentive) { add([&] { attention_.push_back(attentive); }); }};
    }
    bool hasAttended(const std::vector<bool>& changes) {
        return await([&] { return attention_ == changes; });
    }
    bool hasSeen(std::size_t pictures) {
        return await([&] { return seen_.size() >= pictures; });
    }
    bool hasTold(std::size_t events) {
        return await([&] { return told_.size() >= events; });
    }
    std::vector<Detections> seen() const {
        const std::lock_guard lock(mutex_);
        return seen_;
    }
    std::vector<FaceEvent> told() const {
        const std::lock_guard lock(mutex_);
        return told_;
    }

  private:
    template <class Change>
    void add(Change change) {
        const std::lock_guard lock(mutex_);
        change();
        changed_.notify_all();
    }
    template <class Condition>
    bool await(Condition condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kDeadline, condition);
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Detections> seen_;
    std::vector<FaceEvent> told_;
    std::vector<bool> attention_;
};

}  // namespace edgecam::test
