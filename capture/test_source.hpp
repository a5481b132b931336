// TestSource: the test camera. A thread that draws a SyntheticScene in real time; needs no GStreamer.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "capture/source.hpp"
#include "capture/synthetic_scene.hpp"

namespace edgecam::capture {

/// Picture number n (from 1) is drawn n-1 frame intervals after the start; when the machine is late, numbers
/// are left out. The time code in the picture is its capture time in µs, exactly.
class TestSource final : public Source {
  public:
    TestSource(const SourceUri& uri, const Clock& clock, Callbacks callbacks);
    ~TestSource() override;

  private:
    void run();
    void drawPicture(std::uint32_t number, Microseconds running);

    const Clock& clock_;
    const Callbacks callbacks_;
    const Size size_;
    const double frameRate_;
    const SyntheticScene scene_;

    std::mutex mutex_;
    std::condition_variable closing_;
    bool closed_ = false;
    std::thread thread_;
};

}  // namespace edgecam::capture
