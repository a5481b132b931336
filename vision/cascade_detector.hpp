// CascadeDetector: OpenCV's Haar cascade for frontal faces (Viola and Jones, 2001), so that a machine without
// a model file sees something. It finds half as many faces as YuNet does, costs five times as
// much, and knows no landmarks.
#pragma once

#include <memory>
#include <opencv2/objdetect.hpp>
#include <string>
#include <vector>

#include "vision/face_detector.hpp"

namespace edgecam::vision {

/// A cascade says yes or no; how sure it is shows in how many neighbouring windows said yes. n / (n + 2.5)
/// puts that number on the network's scale: from 6 windows on, where wrong ones become rare (2 in 100
/// pictures instead of 15), it is above 0.7, the least that starts a track; 3 windows, the fewest reported,
/// are 0.55.
float cascadeConfidence(int windows);

/// Thread-bound, as every FaceDetector.
class CascadeDetector final : public FaceDetector {
  public:
    /// `path`: haarcascade_frontalface_default.xml or one of its kind.
    static Result<std::unique_ptr<CascadeDetector>> load(const std::string& path, Size inputSize,
                                                         float minConfidence);

    Result<std::vector<Face>> detect(const Picture& picture) override;
    void fitInto(Size size) override { inputSize_ = size; }
    [[nodiscard]] std::string name() const override { return "haar cascade"; }

  private:
    CascadeDetector(cv::CascadeClassifier cascade, Size inputSize, float minConfidence);

    cv::CascadeClassifier cascade_;
    Size inputSize_;
    const float minConfidence_;
};

}  // namespace edgecam::vision
