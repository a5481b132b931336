// FaceDetector: finds faces in one picture. Two implementations: YuNet (a network) and a Haar cascade, for
// when there is no model file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/face.hpp"
#include "base/picture.hpp"
#include "base/result.hpp"

namespace edgecam::vision {

/// Thread-bound: one thread uses it, from construction of its first detect() on.
class FaceDetector {
  public:
    virtual ~FaceDetector() = default;
    /// Boxes as fractions of the picture, clipped to it, best first, overlapping ones already removed. Blocks
    /// for the time of the analysis. An empty or broken picture is an error, never a crash.
    virtual Result<std::vector<Face>> detect(const Picture& picture) = 0;
    /// Pictures are fitted into this from the next one on, as DetectorSettings::inputSize, which see for its
    /// range. The first one may take twice as long.
    virtual void fitInto(Size size) = 0;
    /// "yunet" or "haar cascade".
    [[nodiscard]] virtual std::string name() const = 0;
};

struct DetectorSettings {
    /// Where to look for the YuNet model, in this order; empty entries are skipped.
    std::vector<std::string> modelPaths{};
    /// Where to look for haarcascade_frontalface_default.xml when no model is found.
    std::vector<std::string> cascadePaths{
        "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml"};
    /// Pictures are fitted into this before analysis, their aspect kept. 32x32 to 4096x4096.
    Size inputSize{640, 360};
    /// 0.05 to 0.95. Faces are reported from here on. A tracker wants 0.3, for it knows what to do with the
    /// weak ones (see TrackerSettings); who takes the answers as they are wants 0.5 to 0.7.
    float minConfidence = 0.3F;
};

struct ModelChoice {
    std::string path;         ///< the file used: a network, or a cascade
    std::string sha256;       ///< hex
    bool isKnown = false;     ///< the hash is one of the models this decoder was written for
    std::string explanation;  ///< a sentence for log, probe and status: what is used and why
};

struct ChosenDetector {
    std::unique_ptr<FaceDetector> detector;
    ModelChoice model;
};

/// The best detector there is: YuNet if a model file with a known hash is found, else the cascade. A model
/// file with an unknown hash is never loaded: the explanation names it and the search goes on. Fails when
/// there is neither, or when a setting is out of range. Reads files; blocks for some 50 ms.
Result<ChosenDetector> makeFaceDetector(const DetectorSettings& settings);

}  // namespace edgecam::vision
