// What finding faces costs from a picture, as the agent's vision gets it, to the events, against the
// network's bare forward pass of the same input. bench/vision runs it.
//
// Both look at the same pictures by turns in one thread, the other one first each time. Prints a line of
// JSON: {rounds: [[[ours ms, ours CPU ms, bare ms, bare CPU ms, input CPU ms], ...]]}, an entry a picture;
// "input" is making the network's input (scaling, colours, floats), which is part of ours and not of the bare
// pass.
#include <time.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <opencv2/dnn.hpp>

#include "base/json.hpp"
#include "base/log.hpp"
#include "bench/clip_pictures.hpp"
#include "vision/best_shots.hpp"
#include "vision/face_detector.hpp"
#include "vision/face_events.hpp"
#include "vision/face_quality.hpp"
#include "vision/face_tracker.hpp"
#include "vision/letterbox.hpp"
#include "vision/model_file.hpp"
#include "vision/opencv_call.hpp"

using namespace edgecam;

namespace {

struct Options {
    std::string clip;
    std::string model;
    Size picture{640, 360};
    Size input{640, 360};
    unsigned pictures = 60;
    unsigned rounds = 10;
};

double millisecondsOf(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

struct Spent {
    double wall = 0;
    double processor = 0;  ///< of this thread; OpenCV is told to have no other
};

template <class Work>
Spent spentOn(const Work& work) {
    const Spent before{millisecondsOf(CLOCK_MONOTONIC), millisecondsOf(CLOCK_THREAD_CPUTIME_ID)};
    work();
    return {millisecondsOf(CLOCK_MONOTONIC) - before.wall,
            millisecondsOf(CLOCK_THREAD_CPUTIME_ID) - before.processor};
}

/// What CameraVision does with a picture.
class Ours {
  public:
    Ours(std::unique_ptr<vision::FaceDetector> detector, double rate)
        : detector_(std::move(detector)), tracker_(vision::trackerSettings(0.6F, rate)) {}

    Result<void> look(const Picture& picture) {
        const auto faces = detector_->detect(picture);
        if (!faces) return faces.error();
        const auto outcome = tracker_.follow(*faces, picture.captureTime);
        const FrameRef frame{picture.sequence, picture.captureTime, picture.size};
        std::vector<vision::Sighting> seen;
        for (const auto& [trackId, face] : outcome.seen) {
            seen.push_back({trackId, face, vision::faceQuality(picture, face)});
        }
        bestShots_.see(picture, seen);
        auto events = events_.tell(frame, seen, outcome.ended);
        bestShots_.addTo(events);
        told_ += events.size();
        return {};
    }
    [[nodiscard]] std::size_t told() const { return told_; }

  private:
    std::unique_ptr<vision::FaceDetector> detector_;
    vision::FaceTracker tracker_;
    vision::FaceEvents events_{"clip"};
    vision::BestShots bestShots_{8192};
    std::size_t told_ = 0;
};

/// The network alone. Throws what OpenCV throws.
class Bare {
  public:
    Bare(ByteView model, Size input)
        : net_(cv::dnn::readNetFromONNX(reinterpret_cast<const char*>(model.data()), model.size())),
          letterbox_(input),
          names_(net_.getUnconnectedOutLayersNames()) {
        net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    }

    void prepare(const Picture& picture) {
        cv::dnn::blobFromImage(letterbox_.fill(picture), blob_);
        net_.setInput(blob_);
    }
    void forward() { net_.forward(outputs_, names_); }

  private:
    cv::dnn::Net net_;
    vision::Letterbox letterbox_;
    const std::vector<std::string> names_;
    cv::Mat blob_;
    std::vector<cv::Mat> outputs_;
};

Result<std::vector<Picture>> picturesOf(bench::ClipPictures& clip, unsigned count) {
    std::vector<Picture> pictures;
    while (pictures.size() < count) {
        auto next = clip.next();
        if (!next) return next.error();
        if (!*next) break;
        pictures.push_back(std::move(**next));
    }
    if (pictures.empty()) return Error{"has no pictures"};
    return pictures;
}

struct Pair {
    Spent ours;
    Spent bare;
    Spent input;
};

Result<Pair> runPair(const Picture& picture, Ours& ours, Bare& bare, bool oursFirst) {
    Pair pair;
    Result<void> looked;
    const auto lookAtIt = [&] { pair.ours = spentOn([&] { looked = ours.look(picture); }); };
    if (oursFirst) lookAtIt();
    pair.input = spentOn([&] { bare.prepare(picture); });
    pair.bare = spentOn([&] { bare.forward(); });
    if (!oursFirst) lookAtIt();
    if (!looked) return looked.error();
    return pair;
}

Result<void> runRound(std::vector<Picture>& pictures, Ours& ours, Bare& bare, Microseconds later,
                      JsonWriter& json) {
    json.beginArray();
    bool oursFirst = false;
    for (Picture& picture : pictures) {
        picture.captureTime += later;
        const auto pair = runPair(picture, ours, bare, oursFirst = !oursFirst);
        if (!pair) return pair.error();
        json.beginArray();
        for (const double spent : {pair->ours.wall, pair->ours.processor, pair->bare.wall,
                                   pair->bare.processor, pair->input.processor})
            json.rounded(spent, 4);
        json.endArray();
    }
    json.endArray();
    return {};
}

Result<void> measure(const Options& options) {
    vision::settleOpenCv();
    auto chosen = vision::makeFaceDetector(
        {.modelPaths = {options.model}, .cascadePaths = {}, .inputSize = options.input});
    if (!chosen) return chosen.error();
    const auto model = vision::readModelFile(options.model);
    if (!model) return model.error().within(options.model);
    auto clip = bench::ClipPictures::open(options.clip, options.picture);
    if (!clip) return clip.error().within(options.clip);
    auto pictures = picturesOf(*clip, options.pictures);
    if (!pictures) return pictures.error().within(options.clip);
    return vision::callOpenCv([&]() -> Result<void> {
        Ours ours(std::move(chosen->detector), clip->rate());
        Bare bare(model->bytes, options.input);
        JsonWriter json;
        json.beginObject().key("rounds").beginArray();
        const auto lasts = pictures->back().captureTime - pictures->front().captureTime;
        JsonWriter unmeasured;
        if (auto warm = runRound(*pictures, ours, bare, Microseconds(0), unmeasured); !warm) return warm;
        for (unsigned round = 0; round < options.rounds; ++round) {
            if (auto done = runRound(*pictures, ours, bare, lasts, json); !done) return done;
        }
        json.endArray().key("events").value(static_cast<std::uint64_t>(ours.told()));
        std::printf("%s\n", json.endObject().take().c_str());
        return {};
    });
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("Times face finding against the bare network; prints a line of JSON.");
    app.add_option("clip", options.clip, "video file")->required();
    app.add_option("--model", options.model, "the face model")->required();
    app.add_option("--picture-width", options.picture.width, "size of the pictures that are given in");
    app.add_option("--picture-height", options.picture.height);
    app.add_option("--width", options.input.width, "pictures are fitted into this for analysis");
    app.add_option("--height", options.input.height);
    app.add_option("--pictures", options.pictures)->check(CLI::Range(1, 1000));
    app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 1000));
    CLI11_PARSE(app, argc, argv);
    startLog(LogLevel::warning);
    capture::startGStreamer();
    const auto done = measure(options);
    if (!done) std::fprintf(stderr, "vision_cost: %s\n", done.error().message.c_str());
    return done ? 0 : 1;
}
