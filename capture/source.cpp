#include "capture/source.hpp"

#include "capture/pipeline_source.hpp"
#include "capture/test_source.hpp"

namespace edgecam::capture {

Result<std::unique_ptr<Source>> Source::open(const SourceUri& uri, const Clock& clock, Callbacks callbacks,
                                             SourceKeep keep) {
    if (uri.kind == SourceKind::test) {
        return std::unique_ptr<Source>(std::make_unique<TestSource>(uri, clock, std::move(callbacks)));
    }
    return PipelineSource::open(uri, std::move(callbacks), std::move(keep));
}

}  // namespace edgecam::capture
