#include "vision/face_detector.hpp"

#include <filesystem>
#include <string_view>
#include <utility>

#include "vision/cascade_detector.hpp"
#include "vision/model_file.hpp"
#include "vision/opencv_call.hpp"
#include "vision/yunet_detector.hpp"

namespace edgecam::vision {

namespace {

Result<void> checkSettings(const DetectorSettings& settings) {
    const auto [width, height] = settings.inputSize;
    if (width < 32 || height < 32 || width > 4096 || height > 4096) {
        return Error{"the detector's input size must be from 32x32 to 4096x4096"};
    }
    if (!(settings.minConfidence >= 0.05F && settings.minConfidence <= 0.95F)) {
        return Error{"the detector's least confidence must be from 0.05 to 0.95"};
    }
    return {};
}

bool exists(const std::string& path) {
    std::error_code ignored;
    return !path.empty() && std::filesystem::exists(path, ignored);
}

Result<ChosenDetector> tryModel(const std::string& path, const DetectorSettings& settings) {
    const auto file = readModelFile(path);
    if (!file) return file.error();
    const auto name = knownModel(file->sha256);
    if (!name) {
        return Error{"its SHA-256 " + file->sha256.substr(0, 16) + "... is not that of a known model"};
    }
    auto detector = YunetDetector::load(file->bytes, settings.inputSize, settings.minConfidence);
    if (!detector) return detector.error();
    return ChosenDetector{*std::move(detector),
                          {path, file->sha256, true, std::string(*name) + " from " + path}};
}

Result<ChosenDetector> tryCascade(const std::string& path, const DetectorSettings& settings) {
    const auto file = readModelFile(path);
    if (!file) return file.error();
    auto detector = CascadeDetector::load(path, settings.inputSize, settings.minConfidence);
    if (!detector) return detector.error();
    return ChosenDetector{*std::move(detector), {path, file->sha256, false, "Haar cascade from " + path}};
}

/// What was found on the way and not used, as half sentences.
class PassedOver {
  public:
    void add(const std::string& path, const Error& why) {
        if (!text_.empty()) text_ += "; ";
        text_ += path + " was passed over: " + why.message;
    }
    [[nodiscard]] bool empty() const { return text_.empty(); }
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    std::string text_;
};

template <class Try>
std::unique_ptr<ChosenDetector> firstUsable(const std::vector<std::string>& paths, Try tryOne,
                                            PassedOver& passedOver) {
    for (const std::string& path : paths) {
        if (!exists(path)) continue;
        auto chosen = tryOne(path);
        if (chosen) return std::make_unique<ChosenDetector>(*std::move(chosen));
        passedOver.add(path, chosen.error());
    }
    return nullptr;
}

}  // namespace

Result<ChosenDetector> makeFaceDetector(const DetectorSettings& settings) {
    const auto checked = checkSettings(settings);
    if (!checked) return checked.error();
    settleOpenCv();

    PassedOver passedOver;
    const auto network = firstUsable(
        settings.modelPaths, [&](const auto& path) { return tryModel(path, settings); }, passedOver);
    if (network) {
        if (!passedOver.empty()) network->model.explanation += " (" + passedOver.text() + ")";
        return std::move(*network);
    }

    const std::string why = passedOver.empty() ? "no YuNet model was found" : passedOver.text();
    PassedOver brokenCascades;
    const auto cascade = firstUsable(
        settings.cascadePaths, [&](const auto& path) { return tryCascade(path, settings); }, brokenCascades);
    if (cascade) {
        cascade->model.explanation += ", which finds half as many faces, because " + why;
        return std::move(*cascade);
    }
    const std::string andNoCascade =
        brokenCascades.empty() ? "no Haar cascade (Debian: opencv-data) either" : brokenCascades.text();
    return Error{"no face detector: " + why + ", and " + andNoCascade};
}

}  // namespace edgecam::vision
