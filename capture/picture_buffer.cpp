#include "capture/picture_buffer.hpp"

#include <gst/video/video.h>

namespace edgecam::capture {
namespace {

/// A mapped sample: while it lives, the planes of the picture made from it are readable.
class MappedSample {
  public:
    explicit MappedSample(GstSample* sample) : sample_(hold(sample)) {
        GstVideoInfo info;
        const GstCaps* caps = gst_sample_get_caps(sample);
        mapped_ = caps && gst_video_info_from_caps(&info, caps) &&
                  GST_VIDEO_INFO_FORMAT(&info) == GST_VIDEO_FORMAT_I420 &&
                  gst_video_frame_map(&frame_, &info, gst_sample_get_buffer(sample), GST_MAP_READ);
    }
    ~MappedSample() {
        if (mapped_) gst_video_frame_unmap(&frame_);
    }
    MappedSample(const MappedSample&) = delete;
    MappedSample& operator=(const MappedSample&) = delete;

    [[nodiscard]] bool mapped() const { return mapped_; }
    [[nodiscard]] Size size() const {
        return {GST_VIDEO_FRAME_WIDTH(&frame_), GST_VIDEO_FRAME_HEIGHT(&frame_)};
    }
    [[nodiscard]] Plane plane(guint index) const {
        return {static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, index)),
                GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, index)};
    }

  private:
    Handle<GstSample> sample_;
    GstVideoFrame frame_{};
    bool mapped_ = false;
};

template <class T>
void dropShared(gpointer owner) noexcept {
    delete static_cast<std::shared_ptr<T>*>(owner);
}

/// Read-only memory that keeps its owner alive.
template <class T>
GstMemory* borrowedMemory(const std::uint8_t* data, std::size_t size, const std::shared_ptr<T>& owner) {
    return gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, const_cast<std::uint8_t*>(data), size, 0, size,
                                  new std::shared_ptr<T>(owner), dropShared<T>);
}

}  // namespace

std::optional<Picture> pictureOf(GstSample* sample) {
    auto frame = std::make_shared<const MappedSample>(sample);
    if (!frame->mapped()) return std::nullopt;
    Picture picture;
    picture.size = frame->size();
    for (guint i = 0; i < picture.planes.size(); ++i) picture.planes[i] = frame->plane(i);
    picture.pixels = std::move(frame);
    return picture;
}

Handle<GstBuffer> bufferOf(const Picture& picture, Microseconds mediaTime) {
    auto buffer = adopt(gst_buffer_new());
    gsize offsets[GST_VIDEO_MAX_PLANES] = {};
    gint strides[GST_VIDEO_MAX_PLANES] = {};
    gsize end = 0;
    for (std::size_t i = 0; i < picture.planes.size(); ++i) {
        const int rows = i == 0 ? picture.size.height : (picture.size.height + 1) / 2;
        const int width = i == 0 ? picture.size.width : (picture.size.width + 1) / 2;
        const Plane& plane = picture.planes[i];
        // The last row need not be padded to the stride.
        const auto bytes =
            static_cast<gsize>(plane.stride) * static_cast<gsize>(rows - 1) + static_cast<gsize>(width);
        offsets[i] = end;
        strides[i] = plane.stride;
        end += bytes;
        gst_buffer_append_memory(buffer.get(), borrowedMemory(plane.data, bytes, picture.pixels));
    }
    gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420,
                                   static_cast<guint>(picture.size.width),
                                   static_cast<guint>(picture.size.height), 3, offsets, strides);
    GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(mediaTime.count()) * 1000;
    return buffer;
}

Handle<GstCaps> rawCaps(Size size, double frameRate) {
    const Fraction rate = fractionOf(frameRate);
    return adopt(gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT,
                                     size.width, "height", G_TYPE_INT, size.height, "pixel-aspect-ratio",
                                     GST_TYPE_FRACTION, 1, 1, "framerate", GST_TYPE_FRACTION, rate.numerator,
                                     rate.denominator, nullptr));
}

Handle<GstBuffer> bufferOver(SharedBytes bytes, std::size_t offset) {
    auto buffer = adopt(gst_buffer_new());
    const ByteView view = ByteView(*bytes).subspan(offset);
    gst_buffer_append_memory(buffer.get(), borrowedMemory(view.data(), view.size(), bytes));
    return buffer;
}

}  // namespace edgecam::capture
