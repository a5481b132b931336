#include "capture/test_source.hpp"

#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace edgecam::capture {
namespace {

constexpr Size kDefaultSize{1280, 720};
constexpr Size kLeastSize{320, 180};
constexpr double kDefaultRate = 30;

Size sizeOf(const SourceUri& uri) {
    if (uri.size.empty()) return kDefaultSize;
    return {std::max(uri.size.width & ~1, kLeastSize.width),
            std::max(uri.size.height & ~1, kLeastSize.height)};
}

/// Tightly packed I420 pixels.
struct Pixels {
    explicit Pixels(Size size)
        : luma(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height)),
          bytes(new std::uint8_t[luma + luma / 2]) {}
    std::size_t luma;
    std::unique_ptr<std::uint8_t[]> bytes;
};

}  // namespace

TestSource::TestSource(const SourceUri& uri, const Clock& clock, Callbacks callbacks)
    : clock_(clock),
      callbacks_(std::move(callbacks)),
      size_(sizeOf(uri)),
      frameRate_(uri.frameRate > 0 ? uri.frameRate : kDefaultRate),
      scene_(uri.pattern, size_, frameRate_),
      thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "test-source");
}

TestSource::~TestSource() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    closing_.notify_all();
    thread_.join();
}

void TestSource::run() {
    using Steady = std::chrono::steady_clock;
    const auto start = Steady::now();
    const auto dueAt = [&](std::uint32_t number) {
        return Microseconds(std::llround((number - 1) * 1e6 / frameRate_));
    };
    std::uint32_t number = 1;
    std::unique_lock lock(mutex_);
    while (!closing_.wait_until(lock, start + dueAt(number), [this] { return closed_; })) {
        lock.unlock();
        drawPicture(number, dueAt(number));
        ++number;
        const auto elapsed = std::chrono::duration_cast<Microseconds>(Steady::now() - start);
        const auto current =
            static_cast<std::uint32_t>(static_cast<double>(elapsed.count()) * frameRate_ / 1e6) + 1;
        number = std::max(number, current);
        lock.lock();
    }
}

void TestSource::drawPicture(std::uint32_t number, Microseconds running) {
    const auto pixels = std::make_shared<const Pixels>(size_);
    std::uint8_t* luma = pixels->bytes.get();
    std::uint8_t* firstChroma = luma + pixels->luma;
    Canvas canvas{size_,
                  {luma, firstChroma, firstChroma + pixels->luma / 4},
                  {size_.width, size_.width / 2, size_.width / 2}};
    const Utc now = clock_.utc();
    scene_.draw(canvas, number, microsecondsOf(now));

    Picture picture;
    picture.size = size_;
    for (std::size_t i = 0; i < 3; ++i) picture.planes[i] = {canvas.planes[i], canvas.strides[i]};
    picture.pixels = pixels;
    SourceTime time;
    time.running = running;
    time.number = number;
    time.taken = now;
    callbacks_.raw(std::move(picture), frameRate_, time);
}

}  // namespace edgecam::capture
