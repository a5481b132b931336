#include "capture/encoder_choice.hpp"

#include <array>

#include "capture/gst.hpp"

namespace edgecam::capture {
namespace {

void setKilobits(GstElement* encoder, int kbps) {
    g_object_set(encoder, "bitrate", static_cast<guint>(kbps), nullptr);
}

void setBits(GstElement* encoder, int kbps) {
    const auto bits = static_cast<guint>(kbps) * 1000U;
    g_object_set(encoder, "bitrate", bits, "max-bitrate", bits, nullptr);
}

/// V4L2's stateful encoders take their settings as controls of the device.
void setControls(GstElement* encoder, int kbps) {
    GstStructure* controls = gst_structure_new("controls", "video_bitrate", G_TYPE_INT, kbps * 1000,
                                               "repeat_sequence_header", G_TYPE_INT, 1, "h264_i_frame_period",
                                               G_TYPE_INT, 100'000, "video_b_frames", G_TYPE_INT, 0, nullptr);
    g_object_set(encoder, "extra-controls", controls, nullptr);
    gst_structure_free(controls);
}

// V4L2's element takes the lowest level it finds allowed, and drivers refuse pictures beyond it: hence its
// list. The hardware lines are written from their elements' documentation; no such device was at hand.
constexpr std::array kKinds{
    EncoderKind{"v4l2h264enc", true,
                "videoconvert ! v4l2h264enc name=encoder ! "
                "video/x-h264,profile=main,level=(string){4,4.1,4.2,5,5.1} ! h264parse ! "
                "video/x-h264,stream-format=avc,alignment=au",
                setControls},
    EncoderKind{"vah264enc", true,
                "videoconvert ! vah264enc name=encoder rate-control=cbr b-frames=0 key-int-max=1024 ! "
                "video/x-h264,profile=main ! h264parse ! video/x-h264,stream-format=avc,alignment=au",
                setKilobits},
    EncoderKind{
        "vaapih264enc", true,
        "videoconvert ! vaapih264enc name=encoder rate-control=cbr max-bframes=0 keyframe-period=1024 ! "
        "video/x-h264,profile=main ! h264parse ! video/x-h264,stream-format=avc,alignment=au",
        setKilobits},
    EncoderKind{"x264enc", false,
                "x264enc name=encoder tune=zerolatency speed-preset=ultrafast bframes=0 threads=1 "
                "vbv-buf-capacity=250 key-int-max=1000000 aud=false ! "
                "video/x-h264,stream-format=avc,alignment=au,profile=main",
                setKilobits},
    EncoderKind{
        "openh264enc", false,
        "openh264enc name=encoder rate-control=bitrate complexity=low gop-size=1000000 multi-thread=1 "
        "scene-change-detection=false ! video/x-h264,profile=constrained-baseline ! h264parse ! "
        "video/x-h264,stream-format=avc,alignment=au",
        setBits},
};

}  // namespace

std::span<const EncoderKind> encoderKinds() {
    return kKinds;
}

std::optional<std::string> whyUnusable(const EncoderKind& kind) {
    if (!elementExists(kind.element)) {
        return kind.hardware ? "no such hardware, or its plugin is not installed"
                             : "its plugin is not installed";
    }
    if (!kind.hardware) return std::nullopt;
    const auto element = sink(gst_element_factory_make(kind.element, nullptr));
    if (!element) return "cannot be made";
    const bool opens = gst_element_set_state(element.get(), GST_STATE_READY) != GST_STATE_CHANGE_FAILURE;
    gst_element_set_state(element.get(), GST_STATE_NULL);
    if (!opens) return "the device does not open";
    return std::nullopt;
}

std::vector<EncoderChoice> availableEncoders() {
    std::vector<EncoderChoice> choices;
    bool found = false;
    for (const EncoderKind& kind : encoderKinds()) {
        const auto obstacle = whyUnusable(kind);
        choices.push_back(
            {kind.element, kind.hardware, !obstacle, !obstacle && !found, obstacle.value_or("")});
        found = found || !obstacle;
    }
    return choices;
}

}  // namespace edgecam::capture
