#include "capture/source.hpp"

#include "capture/pipeline_source.hpp"
#include "capture/test_source.hpp"

namespace edgecam::capture {

Result<std::unique_ptr<Source>> Source::open(const SourceUri& uri, const Clock& clock, Callbacks callbacks,
                                             std::shared_ptr<void> hold) {
    if (uri.kind == SourceKind::test) {
        return std::unique_ptr<Source>(std::make_unique<TestSource>(uri, clock, std::move(callbacks)));
    }
    return PipelineSource::open(uri, std::move(callbacks), std::move(hold));
}

}  // namespace edgecam::capture
