#include "bench/rate_figures.hpp"

#include <algorithm>

namespace edgecam::bench {
namespace {

using namespace std::chrono_literals;

double millisecondsOf(Microseconds span) {
    return static_cast<double>(span.count()) / 1e3;
}

bool inAny(const std::vector<Span>& spans, Microseconds time) {
    return std::ranges::any_of(spans, [time](const Span& span) { return span.holds(time); });
}

double quantile(std::vector<double>& sorted, double share) {
    if (sorted.empty()) return 0;
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

/// When this picture, or else the next one that was shown, was. At the run's end it never was: nothing.
std::vector<std::optional<Microseconds>> seenAt(const Outcome& outcome) {
    std::vector<std::optional<Microseconds>> seen(outcome.frames.size());
    std::optional<Microseconds> next;
    for (std::size_t i = seen.size(); i-- > 0;) {
        if (outcome.frames[i].shown) next = outcome.frames[i].shown;
        seen[i] = next;
    }
    return seen;
}

double worstReturn(const Outcome& outcome, const std::vector<Span>& outages, Span span) {
    double worst = 0;
    for (const Span& outage : outages) {
        if (!span.holds(outage.end)) continue;
        std::optional<Microseconds> live;
        for (const FrameFate& frame : outcome.frames) {
            if (!frame.shown || *frame.shown < outage.end || *frame.shown - frame.captured > 500ms) continue;
            live = live ? std::min(*live, *frame.shown) : *frame.shown;
        }
        worst = std::max(worst, millisecondsOf(live.value_or(span.end) - outage.end) / 1e3);
    }
    return worst;
}

}  // namespace

std::vector<double> delaysOf(const Outcome& outcome, Span span, const std::vector<Span>& without) {
    std::vector<double> delays;
    const auto seen = seenAt(outcome);
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const Microseconds captured = outcome.frames[i].captured;
        if (!span.holds(captured) || inAny(without, captured) || !seen[i]) continue;
        delays.push_back(millisecondsOf(*seen[i] - captured));
    }
    return delays;
}

Figures figuresOf(const Trial& trial, const Outcome& outcome, Span span) {
    Figures figures;
    double bytes = 0;
    std::size_t captured = 0;
    std::size_t shown = 0;
    std::size_t freezes = 0;
    const auto outages = trial.link.outages();
    std::optional<Microseconds> last;
    for (const FrameFate& frame : outcome.frames) {
        const bool counts = span.holds(frame.captured) && !inAny(outages, frame.captured);
        captured += counts;
        shown += counts && frame.shown;
        if (!frame.shown || !span.holds(*frame.shown)) continue;
        bytes += static_cast<double>(frame.bytes);
        freezes += last && *frame.shown - *last > 1s;
        last = frame.shown;
    }
    figures.use = bytes / trial.link.usable(span, trial.camera.mostKbps);
    auto delays = delaysOf(outcome, span, outages);
    std::ranges::sort(delays);
    figures.p50 = quantile(delays, 0.5);
    figures.p95 = quantile(delays, 0.95);
    figures.worst = quantile(delays, 1);
    figures.shown = static_cast<double>(shown) / static_cast<double>(std::max<std::size_t>(1, captured));
    figures.freezes = static_cast<double>(freezes) * 60e3 / millisecondsOf(span.end - span.begin);
    figures.liveAgain = worstReturn(outcome, outages, span);
    return figures;
}

double secondsUntilUnder(const Outcome& outcome, Microseconds from, double limitMs) {
    const auto seen = seenAt(outcome);
    Microseconds calmSince = from;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const Microseconds captured = outcome.frames[i].captured;
        if (captured < from) continue;
        if (captured >= calmSince + 1s) break;
        if (!seen[i] || millisecondsOf(*seen[i] - captured) > limitMs) calmSince = captured;
    }
    return millisecondsOf(calmSince - from) / 1e3;
}

double secondsUntilRate(const Outcome& outcome, Microseconds from, double kbps) {
    const double wanted = kbps * 1000 / 8;
    double bytes = 0;
    std::size_t oldest = 0;
    for (std::size_t i = 0; i < outcome.frames.size(); ++i) {
        const FrameFate& frame = outcome.frames[i];
        if (!frame.shown || *frame.shown < from) continue;
        bytes += static_cast<double>(frame.bytes);
        for (; oldest < i &&
               (!outcome.frames[oldest].shown || *outcome.frames[oldest].shown < *frame.shown - 1s);
             ++oldest) {
            const FrameFate& gone = outcome.frames[oldest];
            if (gone.shown && *gone.shown >= from) bytes -= static_cast<double>(gone.bytes);
        }
        if (bytes >= wanted) return millisecondsOf(*frame.shown - from) / 1e3;
    }
    return 1e3;
}

}  // namespace edgecam::bench
