#include "vision/yunet_detector.hpp"

#include <array>
#include <span>
#include <utility>

#include "vision/distinct_faces.hpp"
#include "vision/opencv_call.hpp"
#include "vision/yunet_decode.hpp"

namespace edgecam::vision {

namespace {

constexpr std::array<int, 3> kStrides{8, 16, 32};

// In the order in which scalesOf() reads them: four for each stride.
const std::vector<std::string> kOutputNames{"cls_8",  "obj_8",  "bbox_8",  "kps_8",   //
                                            "cls_16", "obj_16", "bbox_16", "kps_16",  //
                                            "cls_32", "obj_32", "bbox_32", "kps_32"};

std::span<const float> numbersOf(const cv::Mat& output) {
    CV_Assert(output.type() == CV_32F && output.isContinuous());
    return {output.ptr<float>(), output.total()};
}

std::array<YunetScale, kStrides.size()> scalesOf(const std::vector<cv::Mat>& outputs) {
    CV_Assert(outputs.size() == kOutputNames.size());
    std::array<YunetScale, kStrides.size()> scales;
    for (std::size_t i = 0; i < scales.size(); ++i) {
        scales[i] = {kStrides[i], numbersOf(outputs[4 * i]), numbersOf(outputs[4 * i + 1]),
                     numbersOf(outputs[4 * i + 2]), numbersOf(outputs[4 * i + 3])};
    }
    return scales;
}

}  // namespace

Result<std::unique_ptr<YunetDetector>> YunetDetector::load(ByteView model, Size inputSize,
                                                           float minConfidence) {
    return callOpenCv([&]() -> Result<std::unique_ptr<YunetDetector>> {
        cv::dnn::Net net =
            cv::dnn::readNetFromONNX(reinterpret_cast<const char*>(model.data()), model.size());
        net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
        std::unique_ptr<YunetDetector> detector(new YunetDetector(std::move(net), inputSize, minConfidence));
        const ByteBuffer black(static_cast<std::size_t>(inputSize.width) *
                               static_cast<std::size_t>(inputSize.height));
        const Plane plane{black.data(), inputSize.width};
        const auto warmUp = detector->detect({inputSize, {plane, plane, plane}, 0, {}, nullptr});
        if (!warmUp) return warmUp.error();
        return detector;
    });
}

YunetDetector::YunetDetector(cv::dnn::Net net, Size inputSize, float minConfidence)
    : net_(std::move(net)), minConfidence_(minConfidence), letterbox_(inputSize) {}

Result<std::vector<Face>> YunetDetector::detect(const Picture& picture) {
    const auto checked = checkPicture(picture);
    if (!checked) return checked.error();
    return callOpenCv([&] {
        const cv::Mat& bgr = letterbox_.fill(picture);
        return look(bgr, letterbox_.scaled());
    });
}

Result<std::vector<Face>> YunetDetector::look(const cv::Mat& bgr, Size scaled) {
    // The network wants BGR from 0 to 255 as it is: no mean, no scale, no swap.
    cv::dnn::blobFromImage(bgr, blob_);
    net_.setInput(blob_);
    net_.forward(outputs_, kOutputNames);
    const auto candidates = decodeYunet(scalesOf(outputs_), {scaled, {bgr.cols, bgr.rows}}, minConfidence_);
    if (!candidates) return candidates.error();
    return distinctFaces(*candidates);
}

}  // namespace edgecam::vision
