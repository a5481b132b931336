// Agent: who looks through its cameras, and how much of it the box can afford.
#include <algorithm>
#include <utility>

#include "agent/agent.hpp"
#include "agent/box_pressure.hpp"
#include "agent/places.hpp"
#include "base/log.hpp"
#include "vision/face_detector.hpp"

namespace edgecam::agent {

void Agent::addAnalysis(CameraStatus& status, const CameraUnit& unit) const {
    status.detector = unit.detector;
    if (!unit.looking) return;
    status.analysis = {pace_.rateHz(), pace_.size(), pace_.reason()};
}

/// Makes the detector that looks through all cameras, with the thread that uses it if there is none. False:
/// there is no detector, and nobody looks.
bool Agent::chooseDetector() {
    vision::DetectorSettings settings;
    settings.modelPaths = modelPaths(config_.vision.model);
    settings.inputSize = pace_.size();
    auto chosen = vision::makeFaceDetector(settings);
    if (!chosen) {
        logWarning("vision", "no faces will be found: ", chosen.error().message);
        detector_ = "off: " + chosen.error().message;
        if (vision_) vision_->replace(nullptr);
        return canLook_ = false;
    }
    logInfo("vision", chosen->model.explanation);
    detector_ = chosen->detector->name();
    if (vision_) {
        vision_->replace(std::move(chosen->detector));
    } else {
        vision_ = std::make_unique<vision::VisionThread>(std::move(chosen->detector), clock_);
    }
    return canLook_ = true;
}

void Agent::addVision(CameraUnit& unit) {
    unit.looking = canLook_ || chooseDetector();
    unit.detector = detector_;
    if (!unit.looking) return;
    unit.vision = vision_->add(
        unit.config.id,
        vision::CameraVision::Callbacks{
            .detections =
                [this](const Detections& detections) {
                    ports_.each([&](Port& port) { port.exchange.publish(detections); });
                },
            .event = [this](const FaceEvent& event) { tell(event); },
            .attention =
                [this, id = unit.config.id](bool attentive) {
                    loop_.post([this, id, attentive] {
                        const auto found = cameras_.find(id);
                        if (found != cameras_.end() && found->second.camera)
                            found->second.camera->attend(attentive);
                    });
                },
        },
        vision::trackerSettings(config_.vision.minConfidence, pace_.rateHz()), unit.config.scene);
    unit.vision->limitSnapshots(config_.vision.snapshotBytes);
}

/// The cameras themselves do not notice, but for how often somebody looks.
void Agent::changeVision() {
    pace_ = AnalysisPace(config_.vision.rateHz, config_.vision.inputSize, config_.vision.processorBudget);
    if (vision_) chooseDetector();
    std::vector<CameraChange> without;  // had no detector: they need a place for their pictures
    for (auto& [id, unit] : cameras_) {
        if (!unit.config.vision) continue;
        if (unit.vision) {
            changeVision(unit);
        } else {
            without.push_back(
                {.camera = unit.config, .source = true, .encoder = false, .enabled = false, .scene = false});
        }
    }
    for (const CameraChange& change : without) reopenCamera(change);
}

void Agent::changeVision(CameraUnit& unit) {
    unit.detector = detector_;
    unit.looking = canLook_;
    unit.camera->idleDecode(config_.vision.idleDecode);
    unit.camera->look(canLook_ ? pace_.rateHz() : 0);
    unit.vision->retune(vision::trackerSettings(config_.vision.minConfidence, pace_.rateHz()));
    unit.vision->limitSnapshots(config_.vision.snapshotBytes);
    publish(unit.camera->status());
}

/// A detector that nobody looks with any more gives its memory back.
void Agent::endIdleVision() {
    if (std::ranges::any_of(cameras_, [](const auto& each) { return each.second.vision != nullptr; })) return;
    vision_.reset();
    canLook_ = false;
}

namespace {

/// What was used between two sets of figures, a second.
AnalysisLoad loadBetween(const uplink::AgentFigures& was, const uplink::AgentFigures& is,
                         Microseconds apart) {
    const double seconds = std::max(secondsOf(apart), 0.001);
    AnalysisLoad load{.agent = (is.process.cpuSeconds - was.process.cpuSeconds) / seconds};
    for (const auto& [id, now] : is.cameras) {
        const auto before = was.cameras.find(id);
        // One that was opened anew counts from nothing.
        if (before == was.cameras.end() || now.analysed < before->second.analysed) continue;
        load.analysis += secondsOf(now.analysisWork - before->second.analysisWork) / seconds;
        load.pictures += static_cast<double>(now.analysed - before->second.analysed) / seconds;
        load.skipped += static_cast<double>(now.skipped - before->second.skipped) / seconds;
    }
    return load;
}

}  // namespace

void Agent::paceAnalysis(const uplink::AgentFigures& was, Microseconds ago) {
    AnalysisLoad load = loadBetween(was, *figures_, ago);
    const bool wasLess = !pace_.reason().empty();
    for (const auto& [id, unit] : cameras_) load.cameras += unit.looking ? 1 : 0;
    if (load.cameras == 0 || !pace_.look(load, readPressure(), figuresAt_)) return;

    const double rate = pace_.rateHz();
    const auto [width, height] = pace_.size();
    const std::string how = concat(rate, " times a second and camera, in pictures of ", width, "x", height);
    if (pace_.reason().empty()) {
        logInfo("vision", "faces are looked for ", how, " again, as the config asks");
    } else if (wasLess) {  // no news: where the load changes there are many of these
        logInfo("vision", "faces are looked for ", how, ": ", pace_.reason());
    } else {
        logWarning("vision", "faces are looked for only ", how, ": ", pace_.reason());
    }
    vision_->fitInto(pace_.size());
    for (auto& [id, unit] : cameras_) {
        if (!unit.looking) continue;
        unit.camera->look(rate);
        unit.vision->retune(vision::trackerSettings(config_.vision.minConfidence, rate));
        publish(unit.camera->status());
    }
}

}  // namespace edgecam::agent
