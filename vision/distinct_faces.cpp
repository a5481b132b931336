#include "vision/distinct_faces.hpp"

#include <algorithm>
#include <opencv2/dnn.hpp>

namespace edgecam::vision {

namespace {

constexpr float kSameFace = 0.3F;      // intersection over union from which two boxes are one face
constexpr int kMostCandidates = 2000;  // bounds the work on a picture that is noise

// Intersection over union is the same in fractions as in pixels.
std::vector<int> bestOfOverlapping(const std::vector<Face>& candidates) {
    std::vector<cv::Rect2d> boxes;
    std::vector<float> scores;
    for (const Face& face : candidates) {
        boxes.emplace_back(face.box.x, face.box.y, face.box.width, face.box.height);
        scores.push_back(face.confidence);
    }
    std::vector<int> kept;
    cv::dnn::NMSBoxes(boxes, scores, 0, kSameFace, kept, 1, kMostCandidates);
    return kept;
}

void clip(Face& face) {
    face.box = clipped(face.box);
    if (!face.landmarks) return;
    for (PointNorm& point : *face.landmarks) {
        point = {std::clamp(point.x, 0.0F, 1.0F), std::clamp(point.y, 0.0F, 1.0F)};
    }
}

}  // namespace

std::vector<Face> distinctFaces(const std::vector<Face>& candidates) {
    std::vector<Face> faces;
    for (const int index : bestOfOverlapping(candidates)) {
        Face face = candidates[static_cast<std::size_t>(index)];
        clip(face);
        if (face.box.area() > 0) faces.push_back(face);
    }
    return faces;
}

}  // namespace edgecam::vision
