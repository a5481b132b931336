// What the journal's tests share: events that look like real ones, and ways to look into a store.
#pragma once

#include <string>
#include <vector>

#include "base/face.hpp"
#include "uplink/journal_row.hpp"
#include "uplink/journal_store.hpp"

namespace edgecam::uplink::test {

/// Event number N; it is told by its trackId.
inline FaceEvent eventNumbered(std::uint64_t number, FacePhase phase = FacePhase::enter) {
    FaceEvent event;
    event.eventId = randomUuid();
    event.cameraId = "cam_123";
    event.phase = phase;
    event.trackId = number;
    event.timestamp = Utc(Microseconds(1'700'000'000'000'000 + static_cast<std::int64_t>(number) * 40'000));
    event.firstSeen = event.timestamp - std::chrono::milliseconds(1234);
    event.lastSeen = event.timestamp;
    event.face.box = {0.25F, 0.125F, 0.1F, 0.2F};
    event.face.confidence = 0.93F;
    for (PointNorm& point : event.face.landmarks.emplace()) point = {0.3F, 0.2F};
    event.frame = {static_cast<std::uint32_t>(number * 3), event.timestamp, {1280, 720}};
    return event;
}

/// The same with a picture of so many bytes, which no other's is.
inline FaceEvent picturedEvent(std::uint64_t number, std::size_t bytes, FacePhase phase = FacePhase::enter) {
    FaceEvent event = eventNumbered(number, phase);
    ByteBuffer jpeg(bytes);
    for (std::size_t i = 0; i < bytes; ++i) jpeg[i] = static_cast<std::uint8_t>(number * 31 + i * 7);
    event.snapshot = Snapshot{{120, 90}, bytes, share(std::move(jpeg))};
    return event;
}

/// Events numbered here are years old, so no age is too old unless a test says so.
inline JournalSettings settingsIn(const std::string& folder, std::vector<std::string> consumers = {"hub"}) {
    return {
        .folder = folder, .consumers = std::move(consumers), .maxAge = std::chrono::hours(24 * 365 * 100)};
}

inline const FaceEvent* eventIn(const JournalRecord& record) {
    return std::get_if<FaceEvent>(&record.what);
}
inline const Gap* gapIn(const JournalRecord& record) {
    return std::get_if<Gap>(&record.what);
}

/// The numbers (trackId) of the events on a page.
inline std::vector<std::uint64_t> numbersOn(const JournalPage& page) {
    std::vector<std::uint64_t> numbers;
    for (const JournalRecord& record : page.records) {
        if (const FaceEvent* event = eventIn(record)) numbers.push_back(event->trackId);
    }
    return numbers;
}

inline JournalPage pageOf(JournalStore& store, std::int64_t after = 0) {
    auto page = store.read(after, 1'000'000, std::size_t{1} << 30);
    return page ? std::move(*page) : JournalPage{};
}

inline bool commit(JournalStore& store, const std::vector<FaceEvent>& events, bool settle = false) {
    return static_cast<bool>(store.commit({.events = events, .settle = settle}));
}

}  // namespace edgecam::uplink::test
