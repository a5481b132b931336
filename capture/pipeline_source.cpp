#include "capture/pipeline_source.hpp"

#include <unistd.h>

#include <utility>

#include "base/foreign_words.hpp"
#include "base/log.hpp"
#include "capture/picture_buffer.hpp"

namespace edgecam::capture {
namespace {

Result<SourcePlan> planFor(const SourceUri& uri, const std::shared_ptr<KnownDevice>& device) {
    switch (uri.kind) {
        case SourceKind::rtsp:
            return planRtsp(uri);
        case SourceKind::v4l2:
            return planV4l2(uri, device);
        case SourceKind::file:
            return planFile(uri);
        case SourceKind::test:
            break;
    }
    return Error{"not a source with a pipeline"};
}

/// GStreamer's words for trouble with a camera on the network ("Could not open resource for reading and
/// writing") name neither the camera nor what to do.
std::string plainCause(const GError& error, const std::string& address) {
    if (address.empty()) return error.message;
    // A camera's own words may be among them.
    if (error.domain != GST_RESOURCE_ERROR) return harmless(error.message);
    switch (error.code) {
        case GST_RESOURCE_ERROR_OPEN_READ:
        case GST_RESOURCE_ERROR_OPEN_READ_WRITE:
            return "cannot connect to " + address +
                   ": check that the camera is on and reachable, and that address and port are right";
        case GST_RESOURCE_ERROR_NOT_FOUND:
            return "the camera at " + address + " has no such stream: check the path";
        case GST_RESOURCE_ERROR_READ:
        case GST_RESOURCE_ERROR_WRITE:
            return "the connection to " + address + " broke off";
        default:
            return harmless(error.message);
    }
}

/// GStreamer's words for trouble with a device ("Could not read from resource") do not name it either.
std::string deviceCause(const GError& error, const KnownDevice& known) {
    const std::string device = known.path();
    const std::string said = error.message;
    if (g_error_matches(&error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY)) {
        return device + ": busy, another program uses the camera";
    }
    if (g_error_matches(&error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ)) {
        // Looked up in /dev, which waits for no driver.
        if (::access(device.c_str(), F_OK) != 0) return device + ": unplugged";
        if (const auto trouble = known.inputTrouble(); !trouble.empty()) return trouble;
        return device + ": input/output error: the camera stopped giving pictures";
    }
    // What failed before it plays, see Prepare, says of whom it speaks.
    const bool prepared = g_error_matches(&error, GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE);
    return prepared || said.starts_with(device) ? said : device + ": " + said;
}

double rateOf(const GstCaps* caps) {
    Fraction rate;
    const bool known = gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "framerate",
                                                  &rate.numerator, &rate.denominator);
    return known ? static_cast<double>(rate.numerator) / rate.denominator : 0;
}

/// Segment seeks: the end of the file is a message and not the end of the stream, and running time goes on.
bool seekToBegin(GstElement* pipeline, GstSeekFlags flags) {
    const auto demuxer = adopt(gst_bin_get_by_name(GST_BIN(pipeline), "in"));
    const auto all = static_cast<GstSeekFlags>(flags | GST_SEEK_FLAG_SEGMENT);
    return gst_element_seek(demuxer.get(), 1.0, GST_FORMAT_TIME, all, GST_SEEK_TYPE_SET, 0,
                            GST_SEEK_TYPE_NONE, 0);
}

void beginLoops(GstElement* pipeline) {
    if (seekToBegin(pipeline, GST_SEEK_FLAG_FLUSH)) return;
    gst_element_post_message(
        pipeline, gst_message_new_application(GST_OBJECT(pipeline), gst_structure_new_empty("cannot-seek")));
}

void startOver(GstElement* pipeline) {
    if (!seekToBegin(pipeline, GST_SEEK_FLAG_NONE))
        postError(pipeline, "the file ended and cannot be rewound");
}

/// Makes a pad of an inner element one of the chain itself.
void exposePad(GstElement* chain, const char* inner, const char* pad) {
    const auto element = adopt(gst_bin_get_by_name(GST_BIN(chain), inner));
    const auto target = adopt(gst_element_get_static_pad(element.get(), pad));
    gst_element_add_pad(chain, gst_ghost_pad_new(pad, target.get()));
}

}  // namespace

void attachChain(GstElement* pipelineElement, GstPad* pad, const char* description) {
    const auto parent = adopt(GST_ELEMENT(gst_object_get_parent(GST_OBJECT(pipelineElement))));
    const auto out = adopt(gst_bin_get_by_name(GST_BIN(parent.get()), "out"));
    const auto end = adopt(gst_element_get_static_pad(out.get(), "sink"));
    if (gst_pad_is_linked(end.get())) return;
    GError* raw = nullptr;
    GstElement* chain = gst_parse_bin_from_description(description, FALSE, &raw);
    const auto error = adopt(raw);
    if (!chain || error) return postError(pipelineElement, error ? error->message : "cannot build the chain");
    exposePad(chain, "head", "sink");
    exposePad(chain, "tail", "src");
    gst_bin_add(GST_BIN(parent.get()), chain);
    const auto begin = adopt(gst_element_get_static_pad(chain, "sink"));
    const bool linked = gst_element_link(chain, out.get()) && gst_element_sync_state_with_parent(chain) &&
                        gst_pad_link(pad, begin.get()) == GST_PAD_LINK_OK;
    if (!linked) postError(pipelineElement, "the stream does not fit its parser");
}

void postError(GstElement* element, const std::string& cause) {
    const auto error =
        adopt(g_error_new_literal(GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, cause.c_str()));
    gst_element_post_message(element, gst_message_new_error(GST_OBJECT(element), error.get(), nullptr));
}

Result<std::unique_ptr<Source>> PipelineSource::open(const SourceUri& uri, Callbacks callbacks,
                                                     SourceKeep keep) {
    auto plan = planFor(uri, keep.device);
    if (!plan) return plan.error();
    auto prepare = std::move(plan->prepare);
    std::unique_ptr<PipelineSource> source(
        new PipelineSource(std::move(*plan), std::move(callbacks), std::move(keep.hold)));
    source->start(std::move(prepare));
    return std::unique_ptr<Source>(std::move(source));
}

PipelineSource::PipelineSource(SourcePlan plan, Callbacks callbacks, std::shared_ptr<void> hold)
    : callbacks_(std::move(callbacks)),
      loops_(plan.loops),
      address_(std::move(plan.address)),
      device_(std::move(plan.device)),
      check_(std::move(plan.check)),
      pipeline_(std::move(plan.pipeline), std::move(hold)) {}

void PipelineSource::start(LivePipeline::Prepare prepare) {
    const auto out = pipeline_.element("out");
    g_object_set(out.get(), "sync", FALSE, "async", FALSE, "enable-last-sample", FALSE, nullptr);
    pipeline_.onSample("out", [this](GstSample* sample) { take(sample); });
    pipeline_.watch([this](GstMessage* message) { see(message); });
    pipeline_.play(std::move(prepare));
}

void PipelineSource::see(GstMessage* message) {
    switch (GST_MESSAGE_TYPE(message)) {
        case GST_MESSAGE_ERROR:
            return fail(failureOf(message));
        case GST_MESSAGE_EOS:
            return fail(
                {SourceFailure::Kind::ordinary, loops_ ? "the file ended" : "the source ended the stream"});
        case GST_MESSAGE_WARNING:
            return logDebug("capture", "warning of a source: ", sentenceOf(message));
        case GST_MESSAGE_APPLICATION:  // the only one: see beginLoops
            seekable_ = false;
            return;
        case GST_MESSAGE_SEGMENT_DONE:
            return pipeline_.perform(startOver);
        default:
            return;
    }
}

SourceFailure PipelineSource::failureOf(GstMessage* message) const {
    GError* raw = nullptr;
    gst_message_parse_error(message, &raw, nullptr);
    const auto error = adopt(raw);
    if (g_error_matches(error.get(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED)) {
        return {SourceFailure::Kind::wrongCredentials, "the camera refuses the user name or password"};
    }
    return {SourceFailure::Kind::ordinary,
            device_ ? deviceCause(*error, *device_) : plainCause(*error, address_)};
}

void PipelineSource::check() {
    if (!check_ || checking_->exchange(true)) return;
    pipeline_.perform([look = check_, checking = checking_](GstElement* pipeline) {
        look(pipeline);
        *checking = false;
    });
}

void PipelineSource::fail(const SourceFailure& failure) {
    if (std::exchange(failed_, true)) return;
    callbacks_.failed(failure);
}

void PipelineSource::take(GstSample* sample) {
    const GstSegment* segment = gst_sample_get_segment(sample);
    if (loops_ && seekable_ && !(segment->flags & GST_SEGMENT_FLAG_SEGMENT)) {
        // What a file gives before its first segment seek comes again. Not sooner than now: a decoder that is
        // still being put together takes the flush for a failed negotiation.
        if (!std::exchange(looping_, true)) pipeline_.perform(beginLoops);
        return;
    }
    const auto running = runningTime(segment, GST_BUFFER_PTS(gst_sample_get_buffer(sample)));
    if (!running) return;
    SourceTime time;
    time.running = *running;
    time.age = pipeline_.ageOf(*running);
    const GstStructure* structure = gst_caps_get_structure(gst_sample_get_caps(sample), 0);
    if (gst_structure_has_name(structure, "video/x-raw")) {
        takeRaw(sample, time);
    } else {
        takeCoded(sample, time);
    }
}

void PipelineSource::takeRaw(GstSample* sample, const SourceTime& time) {
    if (auto picture = pictureOf(sample)) {
        callbacks_.raw(std::move(*picture), rateOf(gst_sample_get_caps(sample)), time);
    }
}

void PipelineSource::takeCoded(GstSample* sample, const SourceTime& time) {
    const auto coding = reader_.read(gst_sample_get_caps(sample));
    GstBuffer* buffer = gst_sample_get_buffer(sample);
    GstMapInfo map;
    if (!coding || !gst_buffer_map(buffer, &map, GST_MAP_READ)) return;
    const auto unit = accessUnitOf(buffer, {map.data, map.size}, gst_sample_get_segment(sample), time.running,
                                   coding->frameRate);
    callbacks_.coded(unit, coding, time);
    gst_buffer_unmap(buffer, &map);
}

}  // namespace edgecam::capture
