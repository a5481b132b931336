// YunetDetector: the YuNet network (2023mar or yunet_n) on OpenCV's DNN module, with our own decoding: the
// one in OpenCV 4.6 (FaceDetectorYN) can't run these files.
#pragma once

#include <memory>
#include <opencv2/dnn.hpp>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "vision/face_detector.hpp"
#include "vision/letterbox.hpp"

namespace edgecam::vision {

/// Thread-bound, as every FaceDetector. The network's input is no larger than the picture's shape needs, so
/// it takes another size when cameras of several shapes are looked through by turns. That costs 6 % (4:3) and
/// 12 % (16:9) more than a network for each (measured, x86, 640x360): less than black columns up to one size
/// for all (21 % of a 4:3 picture), and 17 MB less than a second network.
class YunetDetector final : public FaceDetector {
  public:
    /// `model` is an ONNX file whose hash the caller has checked; not needed afterwards. Runs the network
    /// once on an empty picture: so one that does not fit fails here, and the first real picture is not slow.
    static Result<std::unique_ptr<YunetDetector>> load(ByteView model, Size inputSize, float minConfidence);

    Result<std::vector<Face>> detect(const Picture& picture) override;
    void fitInto(Size size) override { letterbox_.fitInto(size); }
    [[nodiscard]] std::string name() const override { return "yunet"; }

  private:
    YunetDetector(cv::dnn::Net net, Size inputSize, float minConfidence);
    Result<std::vector<Face>> look(const cv::Mat& bgr, Size scaled);

    cv::dnn::Net net_;
    const float minConfidence_;
    Letterbox letterbox_;
    cv::Mat blob_;
    std::vector<cv::Mat> outputs_;
};

}  // namespace edgecam::vision
