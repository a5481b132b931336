// Rate controllers against simulated links; bench/rate_simulation runs it. Prints one line of JSON.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>

#include "base/json.hpp"
#include "bench/rate_trials.hpp"

using namespace edgecam;
using namespace edgecam::bench;

namespace {

constexpr std::array kRoundTrips{0, 40, 100};

/// Mean, least and most of a value over the seeds.
template <class Figures, class Value>
void field(JsonWriter& json, const char* name, const std::vector<Figures>& runs, const Value& value) {
    double sum = 0;
    double least = 1e9;
    double most = -1e9;
    for (const Figures& run : runs) {
        const auto each = static_cast<double>(std::invoke(value, run));
        sum += each;
        least = std::min(least, each);
        most = std::max(most, each);
    }
    json.key(name).beginArray();
    json.rounded(sum / static_cast<double>(runs.size()), 3).rounded(least, 3).rounded(most, 3).endArray();
}

void begin(JsonWriter& json, const std::string& link, const Contender& contender, int rtt) {
    json.beginObject().field("link", link).field("controller", contender.name).field("rtt_ms", rtt);
}

void trace(JsonWriter& json, const LinkProfile& link, const Contender& contender, unsigned seeds) {
    for (const int rtt : kRoundTrips) {
        std::vector<TraceFigures> runs;
        for (unsigned seed = 1; seed <= seeds; ++seed) {
            runs.push_back(traceFigures(contender.make, link, std::chrono::milliseconds(rtt), seed));
        }
        begin(json, link.name, contender, rtt);
        field(json, "use", runs, [](const TraceFigures& run) { return run.figures.use; });
        field(json, "p50_ms", runs, [](const TraceFigures& run) { return run.figures.p50; });
        field(json, "p95_ms", runs, [](const TraceFigures& run) { return run.figures.p95; });
        field(json, "shown", runs, [](const TraceFigures& run) { return run.figures.shown; });
        field(json, "freezes_a_minute", runs, [](const TraceFigures& run) { return run.figures.freezes; });
        field(json, "live_again_s", runs, [](const TraceFigures& run) { return run.figures.liveAgain; });
        field(json, "undecodable", runs, &TraceFigures::undecodable);
        json.endObject();
    }
}

void steps(JsonWriter& json, const Contender& contender, unsigned seeds) {
    for (const int rtt : kRoundTrips) {
        std::vector<StepFigures> runs;
        for (unsigned seed = 1; seed <= seeds; ++seed) {
            runs.push_back(stepFigures(contender.make, std::chrono::milliseconds(rtt), seed));
        }
        begin(json, "steps", contender, rtt);
        field(json, "seconds_to_calm", runs, &StepFigures::secondsToCalm);
        field(json, "worst_ms", runs, &StepFigures::worstDelay);
        field(json, "seconds_to_80_percent", runs, &StepFigures::secondsToEighty);
        field(json, "steady_use", runs, &StepFigures::steadyUse);
        field(json, "steady_p95_ms", runs, &StepFigures::steadyP95);
        field(json, "undecodable", runs, &StepFigures::undecodable);
        json.endObject();
    }
}

}  // namespace

int main(int argc, char** argv) {
    unsigned seeds = 10;
    std::vector<std::string> traces;
    CLI::App app("Tries rate controllers on simulated links.");
    app.add_option("--seeds", seeds, "runs of each trial, with other noise")->check(CLI::Range(1, 1000));
    app.add_option("traces", traces, "files in Mahimahi's format");
    CLI11_PARSE(app, argc, argv);
    JsonWriter json;
    json.beginObject().field("seeds", seeds).key("steps").beginArray();
    for (const Contender& contender : contenders()) steps(json, contender, seeds);
    json.endArray().key("traces").beginArray();
    for (const std::string& path : traces) {
        const auto link = tracedLink(path);
        if (!link) return std::fprintf(stderr, "%s: no trace\n", path.c_str()), 1;
        for (const Contender& contender : contenders()) trace(json, *link, contender, seeds);
    }
    json.endArray().endObject();
    std::puts(json.take().c_str());
    return 0;
}
