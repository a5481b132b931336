// What the agent's vision makes of a video clip: the real thread with its detector, tracker and events looks
// at every Nth picture, or at so many a second, at the clip's own times and as fast as the machine can.
// bench/vision runs it and judges.
//
// Prints a line of JSON for each analysed picture: {frame, ms, found [[x,y,w,h,confidence]], seen [{track,
// box}], events [{phase, track, frame, box}]}, then {frames}: the pictures of the clip. The leaves at its end
// stand with the last picture. Frames count from 0, boxes are pixels of the clip's pictures. The same output
// in every run: that thread's clock is the clip's, and it gets a picture when it has taken the one before.
#include <CLI/CLI.hpp>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>

#include "base/json.hpp"
#include "base/log.hpp"
#include "bench/clip_pictures.hpp"
#include "capture/picture_gate.hpp"
#include "vision/vision_thread.hpp"

using namespace edgecam;

namespace {

class ClipClock final : public Clock {
  public:
    [[nodiscard]] Monotonic monotonic() const override { return Monotonic(Microseconds(us_.load())); }
    [[nodiscard]] Utc utc() const override { return Utc(Microseconds(us_.load())); }
    void set(Utc time) { us_ = time.time_since_epoch().count(); }

  private:
    std::atomic<std::int64_t> us_{0};
};

/// One analysed picture and what was told of it.
struct Look {
    FrameRef frame;
    std::vector<Face> found;
    std::vector<TrackedFace> seen;
    std::vector<FaceEvent> events;
};

/// Written by the thread that looks, read when the camera has left it; but for the count of pictures taken.
struct Notes {
    std::deque<Look> looks;
    std::optional<Error> trouble;  ///< why a picture was not analysed

    void begin(Look look) {
        looks.push_back(std::move(look));
        {
            const std::lock_guard lock(mutex_);
            ++begun_;
        }
        news_.notify_one();
    }
    void waitUntilBegun(std::size_t count) {
        std::unique_lock lock(mutex_);
        news_.wait(lock, [&] { return begun_ >= count; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable news_;
    std::size_t begun_ = 0;
};

/// The real detector, and a note of what it found. It turns the clock's hands: only here are that
/// thread's reading of it and a new picture in a fixed order.
class NotedDetector final : public vision::FaceDetector {
  public:
    NotedDetector(std::unique_ptr<FaceDetector> real, ClipClock& clock, Notes& notes)
        : real_(std::move(real)), clock_(clock), notes_(notes) {}

    Result<std::vector<Face>> detect(const Picture& picture) override {
        clock_.set(picture.captureTime);
        notes_.begin({.frame = {picture.sequence, picture.captureTime, picture.size}});
        auto faces = real_->detect(picture);
        if (faces) {
            notes_.looks.back().found = *faces;
        } else {
            notes_.trouble = faces.error();
        }
        return faces;
    }
    void fitInto(Size size) override { real_->fitInto(size); }
    [[nodiscard]] std::string name() const override { return real_->name(); }

  private:
    const std::unique_ptr<FaceDetector> real_;
    ClipClock& clock_;
    Notes& notes_;
};

struct Options {
    std::string clip;
    std::string model;
    Size input{640, 360};
    float minConfidence = 0.6F;
    unsigned every = 1;
    double hz = 0;  ///< 0: every Nth picture; else so many a second, chosen as a camera does

    [[nodiscard]] double rateOn(double itsRate) const { return hz > 0 ? hz : itsRate / every; }
};

void writeBox(JsonWriter& json, const RectNorm& box, Size picture) {
    const RectPx pixels = inPixels(box, picture);
    for (const float side : {pixels.x, pixels.y, pixels.width, pixels.height}) json.rounded(side, 1);
}

void writeEvents(JsonWriter& json, const std::vector<FaceEvent>& events) {
    json.key("events").beginArray();
    for (const FaceEvent& event : events) {
        json.beginObject().field("phase", nameOf(event.phase)).field("track", event.trackId);
        json.field("frame", event.frame.sequence).key("box").beginArray();
        writeBox(json, event.face.box, event.frame.size);
        json.endArray().endObject();
    }
    json.endArray();
}

void print(const Look& look) {
    JsonWriter json;
    json.beginObject().field("frame", look.frame.sequence);
    json.key("ms").rounded(secondsOf(look.frame.captureTime) * 1000, 1).key("found").beginArray();
    for (const Face& face : look.found) {
        json.beginArray();
        writeBox(json, face.box, look.frame.size);
        json.rounded(face.confidence, 3).endArray();
    }
    json.endArray().key("seen").beginArray();
    for (const TrackedFace& tracked : look.seen) {
        json.beginObject().field("track", tracked.trackId).key("box").beginArray();
        writeBox(json, tracked.face.box, look.frame.size);
        json.endArray().endObject();
    }
    writeEvents(json.endArray(), look.events);
    std::printf("%s\n", json.endObject().take().c_str());
}

/// Gives the pictures that are to be analysed to `eyes`, `picture` the first; how many there were in all.
Result<std::uint32_t> feed(bench::ClipPictures& clip, std::optional<Picture> picture, const Options& options,
                           vision::CameraVision& eyes, Notes& notes) {
    capture::PictureGate gate;
    gate.limit(options.hz);
    std::uint32_t frames = 0;
    std::size_t given = 0;
    while (picture) {
        ++frames;
        const bool wanted = picture->sequence % options.every == 0;
        if (wanted && gate.pass(picture->captureTime.time_since_epoch())) {
            eyes.pictures().put(std::move(*picture));
            notes.waitUntilBegun(++given);
        }
        auto next = clip.next();
        if (!next) return next.error();
        picture = std::move(*next);
    }
    return frames;
}

Result<void> look(const Options& options) {
    auto chosen = vision::makeFaceDetector(
        {.modelPaths = {options.model}, .cascadePaths = {}, .inputSize = options.input});
    if (!chosen) return chosen.error();
    auto clip = bench::ClipPictures::open(options.clip);
    if (!clip) return clip.error().within(options.clip);
    auto first = clip->next();
    if (!first) return first.error().within(options.clip);
    if (!*first || clip->rate() <= 0) return Error{"no pictures, or no rate"}.within(options.clip);

    ClipClock clock;
    Notes notes;
    const auto rules = vision::trackerSettings(options.minConfidence, options.rateOn(clip->rate()));
    vision::VisionThread thread(std::make_unique<NotedDetector>(std::move(chosen->detector), clock, notes),
                                clock);
    auto eyes =
        thread.add("clip",
                   vision::CameraVision::Callbacks{
                       .detections = [&](const Detections& all) { notes.looks.back().seen = all.faces; },
                       .event = [&](const FaceEvent& event) { notes.looks.back().events.push_back(event); }},
                   rules);
    const auto frames = feed(*clip, std::move(*first), options, *eyes, notes);
    eyes.reset();  // the last picture is looked through, then the live leave
    if (!frames) return frames.error().within(options.clip);
    if (notes.trouble) return notes.trouble->within(options.clip);
    for (const Look& each : notes.looks) print(each);
    std::printf("{\"frames\":%u}\n", *frames);
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("Finds and follows faces in a clip, as the agent does; prints a line of JSON a picture.");
    app.add_option("clip", options.clip, "video file")->required();
    app.add_option("--model", options.model, "the face model")->required();
    app.add_option("--width", options.input.width, "pictures are fitted into this for analysis");
    app.add_option("--height", options.input.height);
    app.add_option("--min-confidence", options.minConfidence)->check(CLI::Range(0.3, 0.95));
    app.add_option("--every", options.every, "analyse every Nth picture")->check(CLI::Range(1, 1000));
    app.add_option("--hz", options.hz, "analyse so many a second, as a camera with vision.rate_hz")
        ->check(CLI::Range(0.0, 60.0));
    CLI11_PARSE(app, argc, argv);
    startLog(LogLevel::warning);
    capture::startGStreamer();
    const auto done = look(options);
    if (!done) std::fprintf(stderr, "clip_faces: %s\n", done.error().message.c_str());
    return done ? 0 : 1;
}
