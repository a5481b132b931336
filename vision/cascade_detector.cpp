#include "vision/cascade_detector.hpp"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "vision/distinct_faces.hpp"
#include "vision/letterbox.hpp"
#include "vision/opencv_call.hpp"

namespace edgecam::vision {

namespace {
constexpr double kScaleStep = 1.2;  // twice as fast as the usual 1.1
constexpr int kFewestWindows = 3;   // fewer are mostly noise
constexpr int kSmallestFace = 24;   // pixels: the size the cascade was trained at
}  // namespace

float cascadeConfidence(int windows) {
    const auto count = static_cast<float>(std::max(windows, 0));
    return count / (count + 2.5F);
}

Result<std::unique_ptr<CascadeDetector>> CascadeDetector::load(const std::string& path, Size inputSize,
                                                               float minConfidence) {
    return callOpenCv([&]() -> Result<std::unique_ptr<CascadeDetector>> {
        cv::CascadeClassifier cascade;
        if (!cascade.load(path)) return Error{path + " is not a cascade"};
        return std::unique_ptr<CascadeDetector>(
            new CascadeDetector(std::move(cascade), inputSize, minConfidence));
    });
}

CascadeDetector::CascadeDetector(cv::CascadeClassifier cascade, Size inputSize, float minConfidence)
    : cascade_(std::move(cascade)), inputSize_(inputSize), minConfidence_(minConfidence) {}

Result<std::vector<Face>> CascadeDetector::detect(const Picture& picture) {
    const auto checked = checkPicture(picture);
    if (!checked) return checked.error();
    return callOpenCv([&]() -> Result<std::vector<Face>> {
        const Size scaled = fittedSize(picture.size, inputSize_);
        cv::Mat luma = scaledLuma(picture, scaled);
        cv::equalizeHist(luma, luma);
        std::vector<cv::Rect> boxes;
        std::vector<int> windows;
        cascade_.detectMultiScale(luma, boxes, windows, kScaleStep, kFewestWindows, 0,
                                  {kSmallestFace, kSmallestFace});
        std::vector<Face> candidates;
        for (std::size_t i = 0; i < boxes.size(); ++i) {
            const float confidence = cascadeConfidence(windows[i]);
            if (confidence < minConfidence_) continue;
            const cv::Rect2f box = boxes[i];
            candidates.push_back({normalised({box.x, box.y, box.width, box.height}, scaled), confidence, {}});
        }
        return distinctFaces(candidates);
    });
}

}  // namespace edgecam::vision
