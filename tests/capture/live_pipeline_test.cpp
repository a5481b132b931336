// Pipelines whose driver hangs: here a pad or a preparation that blocks plays the driver.
#include <doctest/doctest.h>

#include <atomic>
#include <latch>

#include "capture/live_pipeline.hpp"
#include "tests/support/main_context.hpp"

using namespace edgecam;
using namespace edgecam::capture;
using namespace std::chrono_literals;

namespace {

LivePipeline makePipeline(const std::string& description, std::shared_ptr<void> hold = {}) {
    auto pipeline = Pipeline::parse(description);
    REQUIRE(pipeline);
    return LivePipeline(std::move(*pipeline), std::move(hold));
}

/// A streaming thread that stands still inside an element until it is released.
struct Wedge {
    std::latch reached{1};
    std::latch released{1};

    static GstPadProbeReturn stand(GstPad*, GstPadProbeInfo*, gpointer self) noexcept {
        auto& wedge = *static_cast<Wedge*>(self);
        if (!wedge.reached.try_wait()) wedge.reached.count_down();
        wedge.released.wait();
        return GST_PAD_PROBE_OK;
    }
    void drive(const LivePipeline& pipeline, const char* element) {
        const auto driver = pipeline.element(element);
        const auto pad = adopt(gst_element_get_static_pad(driver.get(), "src"));
        gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, stand, this, nullptr);
    }
};

}  // namespace

TEST_CASE("samples come, and none after the end") {
    std::atomic<int> count{0};
    {
        const auto pipeline = std::make_unique<LivePipeline>(
            *Pipeline::parse("fakesrc sizetype=fixed ! appsink name=out sync=false async=false"));
        pipeline->onSample("out", [&](GstSample*) { ++count; });
        pipeline->play();
        REQUIRE(test::waitUntil([&] { return count > 100; }, 10s));
    }
    const int atEnd = count;
    CHECK(LivePipeline::awaitEnds(10s));
    CHECK(count == atEnd);
}

TEST_CASE("a pipeline whose streaming thread hangs holds nobody up, and holds its device until it ends") {
    Wedge wedge;
    auto hold = std::make_shared<int>();
    const std::weak_ptr<int> device = hold;
    {
        auto hung =
            makePipeline("fakesrc name=driver ! appsink name=out sync=false async=false", std::move(hold));
        wedge.drive(hung, "driver");
        hung.onSample("out", [](GstSample*) { FAIL("nothing comes out of a hung driver"); });
        hung.play();
        wedge.reached.wait();
    }
    CHECK_FALSE(LivePipeline::awaitEnds(50ms));
    CHECK_FALSE(device.expired());
    // Others start and end meanwhile.
    std::atomic<bool> seen{false};
    auto other = makePipeline("videotestsrc is-live=true ! appsink name=out sync=false async=false");
    other.onSample("out", [&](GstSample*) { seen = true; });
    other.play();
    CHECK(test::waitUntil([&] { return seen.load(); }, 10s));
    wedge.released.count_down();
    CHECK(test::waitUntil([&] { return device.expired(); }, 10s));
}

TEST_CASE("a device that hangs when it is looked at holds nobody up") {
    std::latch reached{1};
    std::latch released{1};
    auto hold = std::make_shared<int>();
    const std::weak_ptr<int> device = hold;
    {
        auto hung = makePipeline("fakesrc ! appsink name=out async=false", std::move(hold));
        hung.onSample("out", [](GstSample*) { FAIL("it was let go before it played"); });
        hung.play([&](GstElement*) -> Result<void> {
            reached.count_down();
            released.wait();
            return {};
        });
        reached.wait();
    }
    CHECK_FALSE(LivePipeline::awaitEnds(50ms));
    CHECK(LivePipeline::oldestEnd() >= std::optional<Microseconds>(50ms));
    CHECK_FALSE(device.expired());
    released.count_down();
    CHECK(LivePipeline::awaitEnds(10s));
    CHECK_FALSE(LivePipeline::oldestEnd());
    CHECK(test::waitUntil([&] { return device.expired(); }, 10s));
}

TEST_CASE("what takes the pipeline's locks is done after the start that is under way") {
    std::latch reached{1};
    std::latch released{1};
    std::atomic<int> targetThen{GST_STATE_VOID_PENDING};
    auto pipeline = makePipeline("fakesrc ! appsink name=out async=false");
    pipeline.play([&](GstElement*) -> Result<void> {
        reached.count_down();
        released.wait();
        return {};
    });
    reached.wait();
    pipeline.perform([&](GstElement* top) { targetThen = GST_STATE_TARGET(top); });
    released.count_down();
    CHECK(test::waitUntil([&] { return targetThen != GST_STATE_VOID_PENDING; }, 10s));
    CHECK(targetThen == GST_STATE_PLAYING);
}

TEST_CASE("a pipeline that was let go performs nothing more") {
    std::latch reached{1};
    std::latch released{1};
    std::atomic<bool> late{false};
    {
        auto pipeline = makePipeline("fakesrc ! appsink name=out async=false");
        pipeline.perform([&](GstElement*) {
            reached.count_down();
            released.wait();
        });
        reached.wait();
        pipeline.perform([&](GstElement*) { late = true; });
    }
    released.count_down();
    CHECK(LivePipeline::awaitEnds(10s));
    CHECK_FALSE(late);
}

TEST_CASE("what cannot be prepared or started is told over the bus") {
    std::string told;
    const auto tell = [&](GstMessage* message) {
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && told.empty()) told = sentenceOf(message);
    };
    auto unprepared = makePipeline("fakesrc ! appsink name=out async=false");
    unprepared.watch(tell);
    unprepared.play([](GstElement*) -> Result<void> { return Error{"there is no such device"}; });
    CHECK(test::waitUntil([&] { return !told.empty(); }, 10s));
    CHECK(told == "there is no such device");

    told.clear();
    auto unstarted = makePipeline("filesrc location=/nowhere/at/all ! appsink name=out async=false");
    unstarted.watch(tell);
    unstarted.play();
    CHECK(test::waitUntil([&] { return !told.empty(); }, 10s));
}
