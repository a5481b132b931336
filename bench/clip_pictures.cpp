#include "bench/clip_pictures.hpp"

#include <gst/app/gstappsink.h>

#include "capture/picture_buffer.hpp"

namespace edgecam::bench {
namespace {

using capture::adopt;

constexpr int kLooks = 100;  // at the bus, while no picture comes: a decoder's error need not end the stream
constexpr GstClockTime kBetweenLooks = 100 * GST_MSECOND;

}  // namespace

Result<ClipPictures> ClipPictures::open(const std::string& path, std::optional<Size> scaled) {
    auto pipeline = capture::Pipeline::parse(
        "filesrc name=file ! decodebin ! videoconvert ! videoscale ! capsfilter name=shape"
        " ! appsink name=out sync=false max-buffers=2 enable-last-sample=false");
    if (!pipeline) return pipeline.error();
    auto caps = adopt(gst_caps_from_string("video/x-raw,format=I420"));
    if (scaled) {
        gst_caps_set_simple(caps.get(), "width", G_TYPE_INT, scaled->width, "height", G_TYPE_INT,
                            scaled->height, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr);
    }
    g_object_set(pipeline->element("shape").get(), "caps", caps.get(), nullptr);
    g_object_set(pipeline->element("file").get(), "location", path.c_str(), nullptr);
    if (const auto started = pipeline->play(); !started) return Error{"cannot be opened"};
    return ClipPictures(std::move(*pipeline));
}

/// Null at the end.
Result<capture::Handle<GstSample>> ClipPictures::pull() {
    const auto out = pipeline_.element("out");
    auto* const sink = GST_APP_SINK(out.get());
    const auto bus = adopt(gst_element_get_bus(pipeline_.top()));
    for (int look = 0; look < kLooks; ++look) {
        auto sample = adopt(gst_app_sink_try_pull_sample(sink, kBetweenLooks));
        if (sample) return sample;
        const auto error = adopt(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
        if (error) return Error{capture::sentenceOf(error.get())};
        if (gst_app_sink_is_eos(sink)) return sample;
    }
    return Error{"gave no picture for 10 s"};
}

Result<std::optional<Picture>> ClipPictures::next() {
    const auto sample = pull();
    if (!sample) return sample.error();
    if (!*sample) return std::optional<Picture>();
    auto picture = capture::pictureOf(sample->get());
    const auto time = capture::runningTime(gst_sample_get_segment(sample->get()),
                                           GST_BUFFER_PTS(gst_sample_get_buffer(sample->get())));
    if (!picture || !time) return Error{"has a picture without pixels or without a time"};
    if (!begin_) begin_ = time;
    picture->sequence = sequence_++;
    picture->captureTime = Utc(*time - *begin_);
    capture::Fraction rate;
    const GstStructure* format = gst_caps_get_structure(gst_sample_get_caps(sample->get()), 0);
    if (gst_structure_get_fraction(format, "framerate", &rate.numerator, &rate.denominator)) {
        rate_ = static_cast<double>(rate.numerator) / rate.denominator;
    }
    return std::optional(std::move(*picture));
}

}  // namespace edgecam::bench
