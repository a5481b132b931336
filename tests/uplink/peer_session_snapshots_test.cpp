// Pictures of faces: within their events, or behind them; those of durable events from the journal.
#include <doctest/doctest.h>

#include <numeric>

#include "tests/uplink/session_bench.hpp"

using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;
using namespace std::chrono_literals;

namespace {

using Types = std::vector<std::string>;

SharedBytes jpegOf(std::size_t bytes) {
    ByteBuffer all(bytes);
    std::iota(all.begin(), all.end(), std::uint8_t{0});
    return share(std::move(all));
}

/// An enter of that track, of picture 40 + track.
FaceEvent pictured(std::uint64_t track, std::size_t bytes) {
    FaceEvent event = faceOf("cam_123", track, FacePhase::enter);
    event.frame.sequence = static_cast<std::uint32_t>(40 + track);
    event.snapshot = Snapshot{{60, 80}, bytes, jpegOf(bytes)};
    return event;
}

/// As it comes from the journal.
FaceEvent stored(std::uint64_t track, std::size_t bytes) {
    FaceEvent event = pictured(track, bytes);
    if (bytes > Snapshot::kMostInline) event.snapshot->jpeg = nullptr;
    return event;
}

SessionBench viewerThatWants(const std::string& snapshots, const std::string& more = "") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"subscribe","topics":["*/face_detected"],"snapshots":")" + snapshots + "\"" + more +
              "}");
    bench.hear();
    return bench;
}

SessionBench hubThatWants(const std::string& snapshots, const std::vector<FaceEvent>& events,
                          const std::string& features = R"(["ack"])") {
    auto bench = SessionBench::durableHub(R"({"features":)" + features +
                                          R"(,"subscriptions":{"*/face_detected":{"snapshots":")" +
                                          snapshots + R"("}}})");
    bench.hear();
    for (const FaceEvent& event : events) bench.journal->add(event);
    if (!events.empty()) bench.journalMoved();
    bench.serveJournal();
    return bench;
}

void giveSnapshot(SessionBench& bench, SharedBytes jpeg) {
    REQUIRE_FALSE(bench.journal->snapshotsAsked.empty());
    bench.session->deliver(
        JournalSnapshot{bench.journal->name, bench.journal->snapshotsAsked.back(), std::move(jpeg)});
}

const JsonValue& snapshotIn(const Heard& heard) {
    REQUIRE(heard.data().HasMember("snapshot"));
    return heard.data()["snapshot"];
}

}  // namespace

TEST_CASE("nobody gets a picture that was not asked for") {
    auto bench = SessionBench::as("viewer");
    bench.session->deliver(pictured(1, 300));
    const auto heard = bench.hear();
    REQUIRE(typesOf(heard) == Types{"face_detected"});
    CHECK_FALSE(heard[0].data().HasMember("snapshot"));
}

TEST_CASE("a small one travels within its event, a larger one behind it") {
    auto bench = viewerThatWants("inline");
    bench.session->deliver(pictured(1, 4));
    auto heard = bench.hear();
    REQUIRE(typesOf(heard) == Types{"face_detected"});
    CHECK(toJson(snapshotIn(heard[0])) == "\"AAECAw==\"");

    bench.session->deliver(pictured(2, Snapshot::kMostInline));
    CHECK(typesOf(bench.hear()) == Types{"face_detected"});

    bench.session->deliver(pictured(3, Snapshot::kMostInline + 1));
    heard = bench.hear();
    REQUIRE(typesOf(heard) == Types{"face_detected", "binary"});
    CHECK(toJson(snapshotIn(heard[0])) ==
          R"({"channel":32768,"sequence":43,"bytes":4097,"width":60,"height":80})");
    CHECK(heard[1].header.kind == ChunkKind::jpeg);
    CHECK(heard[1].header.channel == 32768);
    CHECK(heard[1].header.sequence == 43);
    CHECK(heard[1].part == *jpegOf(4097));
}

TEST_CASE("who wants them apart gets them apart, each on a channel of its own, and never before its event") {
    auto bench = viewerThatWants("transfer", R"(,"batch_ms":5000)");
    for (std::uint64_t track = 1; track <= 3; ++track) bench.session->deliver(pictured(track, 10));
    const auto heard = bench.hear();
    REQUIRE(typesOf(heard) ==
            Types{"face_detected", "face_detected", "face_detected", "binary", "binary", "binary"});
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(heard[i + 3].header.channel == snapshotIn(heard[i])["channel"].GetUint());
        CHECK(heard[i + 3].header.sequence == 41 + i);
    }
    CHECK(heard[3].header.channel != heard[4].header.channel);
}

TEST_CASE("of the entries that want an event the one that asks for most says how its picture comes") {
    auto bench = viewerThatWants("inline", R"(,"filter":{"phases":["leave"]})");
    bench.say(R"({"type":"subscribe","topics":["cam_123/face_detected"],"snapshots":"transfer"})");
    bench.hear();
    FaceEvent event = pictured(1, 10);
    bench.session->deliver(event);
    CHECK(typesOf(bench.hear()) == Types{"face_detected", "binary"});
    event.phase = FacePhase::leave;
    bench.session->deliver(event);
    CHECK(typesOf(bench.hear()) == Types{"face_detected"});
}

TEST_CASE("a word that says not how is refused, and what is in force is told") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"subscribe","topics":["*/face_detected"],"snapshots":"all","id":1})");
    const Heard refused = bench.only("error");
    CHECK(refused.str("field") == "snapshots");
    bench.say(R"({"type":"subscribe","topics":["*/face_detected"],"snapshots":"inline","id":2})");
    const auto heard = bench.hear();
    CHECK(toJson(heard.at(0).data()["subscriptions"]["*/face_detected"]) == R"({"snapshots":"inline"})");
}

TEST_CASE("what finds no room is told, and the event goes all the same") {
    SessionLimits limits;
    limits.lanes.bulkBytes = 100;
    auto bench = SessionBench::as("viewer", limits);
    bench.say(R"({"type":"subscribe","topics":["*/face_detected"],"snapshots":"transfer"})");
    bench.hear();
    bench.session->deliver(pictured(1, 5000));
    const auto heard = bench.hear();
    REQUIRE(heard.size() == 2);
    const Heard& drop = heard[0].type == "drop" ? heard[0] : heard[1];
    CHECK(drop.str("channel") == "32768");
    CHECK(drop.str("bytes") == "5000");
    CHECK(drop.str("reason") == "too much waits to be read");
}

TEST_CASE("a viewer that reads slowly has so many pictures waiting and no more") {
    auto bench = viewerThatWants("transfer");
    for (std::uint64_t track = 1; track <= 20; ++track) bench.session->deliver(pictured(track, 50'000));
    const auto types = typesOf(bench.hear());
    CHECK(std::ranges::count(types, "face_detected") == 20);
    const auto whole = std::ranges::count(types, "binary");
    CHECK(whole == 6);  // 256 KB, and the one that went over it
    CHECK(std::ranges::count(types, "drop") == 20 - whole);
}

TEST_CASE("a hub's pictures stay in the journal until their events are written and the last lane has room") {
    auto bench =
        hubThatWants("transfer", {stored(1, 9000), stored(2, 500), faceOf("cam_123", 3, FacePhase::enter)});
    bench.session->tick();
    CHECK(bench.journal->snapshotsAsked.empty());
    auto heard = bench.hear();
    REQUIRE(typesOf(heard) == Types{"face_detected", "face_detected", "face_detected"});
    CHECK_FALSE(heard[2].data().HasMember("snapshot"));
    bench.session->tick();
    CHECK(bench.journal->snapshotsAsked == std::vector<std::int64_t>{1});
    bench.session->tick();
    CHECK(bench.journal->snapshotsAsked.size() == 1);  // one at a time

    giveSnapshot(bench, jpegOf(9000));
    CHECK(bench.journal->snapshotsAsked == std::vector<std::int64_t>{1, 2});
    giveSnapshot(bench, jpegOf(500));
    CHECK(bench.journal->snapshotsAsked.size() == 2);
    const auto pictures = bench.hear();
    REQUIRE(typesOf(pictures) == Types{"binary", "binary"});
    CHECK(pictures[0].header.channel == snapshotIn(heard[0])["channel"].GetUint());
    CHECK(pictures[0].header.payloadLength == 9000);
    CHECK(pictures[1].header.channel == snapshotIn(heard[1])["channel"].GetUint());
}

TEST_CASE("a hub that wants them inline gets the small ones with a page, and the others apart") {
    auto bench = hubThatWants("inline", {stored(1, 9000), stored(2, 3)});
    const auto heard = bench.hear();
    REQUIRE(typesOf(heard) == Types{"face_detected", "face_detected"});
    CHECK(snapshotIn(heard[0]).IsObject());
    CHECK(toJson(snapshotIn(heard[1])) == "\"AAEC\"");
    bench.session->tick();
    CHECK(bench.journal->snapshotsAsked == std::vector<std::int64_t>{1});
    giveSnapshot(bench, jpegOf(9000));
    CHECK(bench.journal->snapshotsAsked.size() == 1);
}

TEST_CASE("a picture that is not kept any more is told, and one that could not be read is asked for again") {
    auto bench = hubThatWants("transfer", {stored(1, 9000)});
    bench.hear();
    bench.session->tick();
    bench.session->deliver(JournalSnapshot{"", 1, nullptr});
    CHECK(bench.journal->snapshotsAsked.size() == 1);  // not at once
    bench.session->tick();
    CHECK(bench.journal->snapshotsAsked == std::vector<std::int64_t>{1, 1});
    giveSnapshot(bench, nullptr);
    const Heard drop = bench.only("drop");
    CHECK(drop.str("channel") == "32768");
    CHECK(drop.str("reason") == "it is not kept any more");
    bench.session->tick();
    CHECK(bench.journal->snapshotsAsked.size() == 2);
}

TEST_CASE("what a hub acknowledges without its picture it does not want any more") {
    auto bench = hubThatWants("transfer", {stored(1, 9000), stored(2, 9000), stored(3, 9000)});
    bench.hear();
    bench.session->tick();
    bench.say(R"({"type":"ack","journal":"j-1","seq":2})");
    CHECK(bench.journal->position == 2);
    giveSnapshot(bench, jpegOf(9000));  // of 1: too late
    CHECK_FALSE(bench.session->hasOutput());
    CHECK(bench.journal->snapshotsAsked == std::vector<std::int64_t>{1, 3});
}

TEST_CASE("the place of a hub that does not acknowledge waits for a picture until TCP has delivered it") {
    std::vector<FaceEvent> events{stored(1, 9000)};
    for (std::uint64_t track = 2; track <= 100; ++track)
        events.push_back(faceOf("cam_123", track, FacePhase::enter));
    auto bench = hubThatWants("transfer", events, "[]");
    for (int round = 0; round < 20; ++round) {  // the lane takes a page at a time
        bench.hear();
        bench.session->tick();
        bench.serveJournal();
    }
    bench.session->transmitted(0);
    CHECK(bench.journal->position == 0);
    giveSnapshot(bench, jpegOf(9000));
    REQUIRE(typesOf(bench.hear()) == Types{"binary"});
    bench.session->transmitted(1);
    CHECK(bench.journal->position == 0);
    bench.session->transmitted(0);
    CHECK(bench.journal->position == 100 - 64);
}

TEST_CASE("a picture that is gone does not hold the place of a hub that does not acknowledge") {
    std::vector<FaceEvent> events{stored(1, 9000)};
    for (std::uint64_t track = 2; track <= 70; ++track)
        events.push_back(faceOf("cam_123", track, FacePhase::enter));
    auto bench = hubThatWants("transfer", events, "[]");
    for (int round = 0; round < 20; ++round) {
        bench.hear();
        bench.session->tick();
        bench.serveJournal();
    }
    bench.session->transmitted(0);
    CHECK(bench.journal->position == 0);
    giveSnapshot(bench, nullptr);
    bench.hear();
    bench.session->transmitted(0);
    CHECK(bench.journal->position == 70 - 64);
}
