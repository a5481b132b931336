// Durable events toward a hub: read from the journal, sent in order, until they have arrived.
#include <doctest/doctest.h>

#include <zlib.h>

#include "tests/uplink/session_bench.hpp"

using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kAcks = R"({"features":["ack"],"journal":"j-1","acked_seq":0})";

struct Told {
    std::string what;  ///< "face 3 after 2", "gap 1-4 (2)"
    static Told of(const Heard& heard) {
        if (heard.type == "gap") {
            return {"gap " + heard.str("from_seq") + "-" + heard.str("to_seq") + " (" + heard.str("count") +
                    ")"};
        }
        return {"face " + heard.str("seq") + " after " + heard.str("prev_seq")};
    }
};

std::vector<std::string> toldIn(const std::vector<Heard>& heard) {
    std::vector<std::string> told;
    for (const Heard& item : heard) {
        if (item.type == "face_detected" || item.type == "gap") told.push_back(Told::of(item).what);
    }
    return told;
}

void ack(SessionBench& bench, std::int64_t seq, const std::string& journal = "j-1") {
    bench.say(R"({"type":"ack","journal":")" + journal + R"(","seq":)" + std::to_string(seq) + "}");
}

std::string inflated(const ByteBuffer& bytes) {
    std::string text(1 << 20, '\0');
    uLongf size = text.size();
    REQUIRE(uncompress(reinterpret_cast<Bytef*>(text.data()), &size, bytes.data(), bytes.size()) == Z_OK);
    text.resize(size);
    return text;
}

}  // namespace

TEST_CASE("a hub that acknowledges gets what it has not, in order, and the journal hears what is safe") {
    auto bench = SessionBench::durableHub(R"({"features":["ack"],"journal":"j-1","acked_seq":2})", 4);
    CHECK(bench.journal->asked == std::vector<std::optional<std::int64_t>>{2});
    CHECK(bench.journal->position == 2);
    bench.serveJournal();
    auto heard = bench.hear();
    CHECK(toldIn(heard) == std::vector<std::string>{"face 3 after 2", "face 4 after 3"});
    CHECK(bench.journal->position == 2);
    ack(bench, 3);
    CHECK(bench.journal->position == 3);
    ack(bench, 4);
    CHECK(bench.journal->position == 4);
    CHECK(bench.hear().empty());

    bench.journal->add(faceOf("door", 9, FacePhase::enter));
    bench.journalMoved();
    bench.serveJournal();
    CHECK(toldIn(bench.hear()) == std::vector<std::string>{"face 5 after 4"});
}

TEST_CASE("events that a hub acknowledges are timed from their commit on, each once") {
    auto bench = SessionBench::durableHub(kAcks, 1);
    bench.view->commits.moved("j-1", 1, bench.clock->monotonic());
    for (std::uint64_t face = 2; face <= 4; ++face) {
        bench.journal->add(faceOf("door", face, FacePhase::enter));
        if (face != 3)
            bench.view->commits.moved("j-1", static_cast<std::int64_t>(face), bench.clock->monotonic());
        bench.later(100ms);
    }
    bench.journalMoved();
    bench.serveJournal();
    bench.hear();
    ack(bench, 3);  // 1 was there before anybody looked; 3 was committed together with 4
    CHECK(bench.session->figures().eventAcks.count() == 2);
    CHECK(bench.session->figures().eventAcks.sum == 300ms + 100ms);
    ack(bench, 3);
    ack(bench, 4);
    CHECK(bench.session->figures().eventAcks.count() == 3);
    ServiceFigures ended;
    ended.addEnded(bench.session->figures());
    CHECK(ended.eventAcks.count() == 3);
}

TEST_CASE("commits are remembered as far back as there is room, and of one journal") {
    CommitTimes commits;
    constexpr auto kMost = static_cast<std::int64_t>(CommitTimes::kRemembered);
    commits.moved("j-1", 10, Monotonic(1s));
    CHECK_FALSE(commits.of(10));
    for (std::int64_t seq = 11; seq <= 11 + kMost; ++seq)
        commits.moved("j-1", seq, Monotonic(Microseconds(seq)));
    CHECK_FALSE(commits.of(11));
    CHECK(commits.of(12) == Monotonic(12us));
    CHECK(commits.of(11 + kMost) == Monotonic(Microseconds(11 + kMost)));
    CHECK_FALSE(commits.of(12 + kMost));
    commits.moved("j-2", 3, Monotonic(9s));
    CHECK_FALSE(commits.of(3));
    CHECK_FALSE(commits.of(12));
}

TEST_CASE("a hub that knows another journal, or none, goes on from where it stands on disk") {
    for (const char* answer :
         {R"({"features":["ack"]})", R"({"features":["ack"],"journal":"older","acked_seq":99})",
          R"({"features":["ack"],"journal":"j-1","acked_seq":99})"}) {
        CAPTURE(answer);
        auto bench = SessionBench::durableHub(answer, 3);
        CHECK(bench.journal->asked == std::vector<std::optional<std::int64_t>>{std::nullopt});
        bench.journal->position = 1;
        bench.serveJournal();
        CHECK(toldIn(bench.hear()) == std::vector<std::string>{"face 2 after 1", "face 3 after 2"});
    }
}

TEST_CASE("an ack of another journal, or beyond what was sent, changes nothing and says why") {
    auto bench = SessionBench::durableHub(kAcks, 2);
    bench.serveJournal();
    bench.hear();
    ack(bench, 3);
    CHECK(bench.only("error").str("code") == "bad_request");
    ack(bench, 1, "j-2");
    CHECK(bench.only("error").str("code") == "bad_request");
    CHECK(bench.journal->position == 0);
}

TEST_CASE("only a consumer that acknowledges may acknowledge") {
    auto plain = SessionBench::durableHub("{}", 1);
    plain.serveJournal();
    plain.hear();
    ack(plain, 1);
    CHECK(plain.only("error").str("code") == "forbidden");
    auto viewer = SessionBench::as("admin");
    ack(viewer, 1);
    CHECK(viewer.only("error").str("code") == "forbidden");
}

TEST_CASE("what a hub does not want is passed by without being sent") {
    auto bench =
        SessionBench::durableHub(R"({"features":["ack"],"subscriptions":{"door/face_detected":{}}})", 3);
    bench.serveJournal();
    CHECK(toldIn(bench.hear()).empty());
    CHECK(bench.journal->position == 3);
    bench.journal->add(faceOf("door", 4, FacePhase::enter));
    bench.journal->add(faceOf("cam_123", 5, FacePhase::enter));
    bench.journalMoved();
    bench.serveJournal();
    CHECK(toldIn(bench.hear()) == std::vector<std::string>{"face 4 after 0"});
    CHECK(bench.journal->position == 3);  // 5 is nobody's, but 4 is not safe yet
    ack(bench, 4);
    CHECK(bench.journal->position == 5);
}

TEST_CASE("a gap is told in its place, and only of what the hub has not") {
    auto bench = SessionBench::durableHub(R"({"features":["ack"],"journal":"j-1","acked_seq":3})", 4);
    bench.journal->records.erase(bench.journal->records.begin(), bench.journal->records.begin() + 3);
    bench.journal->add(Gap{1, 8, 7, "full"});
    bench.journalMoved();
    bench.serveJournal();
    CHECK(toldIn(bench.hear()) == std::vector<std::string>{"face 4 after 3", "gap 4-8 (5)"});
    ack(bench, 8);
    CHECK(bench.journal->position == 8);
}

TEST_CASE("a long outage costs no memory: the next page is read when the lane has room") {
    constexpr int kEvents = 1000;
    auto bench = SessionBench::durableHub(kAcks, kEvents);
    bench.session->deliver(bench.journal->page());
    CHECK(bench.journal->asked.size() == 1);  // 64 wait: no more is asked for
    std::vector<std::string> told;
    for (int round = 0; round < kEvents && told.size() < kEvents; ++round) {
        const std::size_t asked = bench.journal->asked.size();
        const auto some = toldIn(bench.hear(50));
        told.insert(told.end(), some.begin(), some.end());
        bench.later(100ms);
        if (bench.journal->asked.size() > asked) bench.session->deliver(bench.journal->page());
    }
    CHECK(told.size() == kEvents);
    CHECK(told.front() == "face 1 after 0");
    CHECK(told.back() == "face 1000 after 999");
}

TEST_CASE("to a hub that acknowledges nothing an event is delivered when TCP has it; the last 64 stay") {
    auto bench = SessionBench::durableHub("{}", 100);
    std::size_t lastTen = 0;
    int count = 0;
    while (count < 100) {
        bench.session->deliver(bench.journal->page());
        for (const Heard& heard : bench.hear()) {
            if (heard.type != "face_detected") continue;
            if (++count > 90) lastTen += heard.text.size();
        }
        bench.session->tick();
    }
    bench.session->transmitted(lastTen);
    CHECK(bench.journal->position == 100 - 10 - 64);
    bench.session->transmitted(0);
    CHECK(bench.journal->position == 100 - 64);
}

TEST_CASE("another journal ends the connection: its numbers mean something else") {
    auto bench = SessionBench::durableHub(kAcks, 2);
    bench.serveJournal();
    bench.view->journal = "j-2";
    bench.view->journalNewest = 1;
    bench.session->journalMoved();
    REQUIRE(bench.session->closeWish());
    CHECK(bench.session->closeWish()->code == 1001);
}

TEST_CASE("events that could not be stored are told without a number") {
    auto bench = SessionBench::durableHub(kAcks);
    bench.hear();
    bench.session->deliver(faceOf("cam_123", 1, FacePhase::enter));
    const Heard heard = bench.only("face_detected");
    CHECK(heard.str("seq").empty());
    CHECK(heard.str("event_id") == "event-1-enter");
}

TEST_CASE("with patience events travel together, in order, and answers are not kept waiting") {
    auto bench = SessionBench::durableHub(
        R"({"features":["ack"],"subscriptions":{"*/face_detected":{"batch_ms":500}}})", 3);
    bench.hear();
    bench.serveJournal();
    CHECK(bench.hear().empty());
    bench.say(R"({"type":"heartbeat","id":1})");
    CHECK(typesOf(bench.hear()) == std::vector<std::string>{"heartbeat"});
    bench.later(500ms);
    const Heard batch = bench.only("batch");
    const auto& messages = batch.data()["messages"];
    REQUIRE(messages.Size() == 3);
    for (rapidjson::SizeType i = 0; i < 3; ++i) {
        CHECK(!messageSchema().complaint(messages[i]));
        CHECK(messages[i]["data"]["seq"].GetInt64() == i + 1);
    }
    ack(bench, 3);
    CHECK(bench.journal->position == 3);
}

TEST_CASE("news does not overtake old news that waits in a batch") {
    auto bench = SessionBench::durableHub(
        R"({"features":["ack"],"subscriptions":{"*/face_detected":{"batch_ms":500}}})", 100);
    bench.hear();
    bench.serveJournal();
    std::int64_t last = 0;
    for (int round = 0; round < 10 && last < 100; ++round) {
        bench.later(500ms);
        for (const Heard& heard : bench.hear()) {
            REQUIRE(heard.type == "batch");
            for (const JsonValue& message : heard.data()["messages"].GetArray()) {
                CHECK(message["data"]["seq"].GetInt64() == ++last);
            }
        }
        if (!bench.journal->asked.empty()) bench.serveJournal();
    }
    CHECK(last == 100);
}

TEST_CASE("a peer that can inflate gets a batch deflated, on channel 0") {
    auto bench = SessionBench::durableHub(
        R"({"features":["ack","deflate"],"subscriptions":{"*/face_detected":{"batch_ms":100}}})", 5);
    bench.hear();
    bench.serveJournal();
    bench.later(100ms);
    const auto heard = bench.hear();
    REQUIRE(typesOf(heard) == std::vector<std::string>{"binary"});
    CHECK(heard[0].header.kind == ChunkKind::deflatedJson);
    CHECK(heard[0].header.channel == 0);
    CHECK(heard[0].header.payloadLength == heard[0].part.size());
    const std::string text = inflated(heard[0].part);
    CHECK(text.size() > 2 * heard[0].part.size());
    const auto json = parseJson(text);
    REQUIRE(json);
    CHECK((*json)["data"]["messages"].Size() == 5);
}

TEST_CASE("a viewer's detections are batched where it asks for that, and one alone is no batch") {
    auto bench = SessionBench::as("viewer");
    bench.say(R"({"type":"subscribe","topics":["cam_123/detections"],"batch_ms":200,"id":1})");
    CHECK(bench.only("ok").str("subscriptions").find("\"batch_ms\":200") != std::string::npos);
    Detections detections;
    detections.cameraId = "cam_123";
    bench.session->deliver(detections);
    bench.session->deliver(detections);
    CHECK(bench.hear().empty());
    bench.later(200ms);
    CHECK(bench.only("batch").data()["messages"].Size() == 2);
    bench.session->deliver(detections);
    bench.later(200ms);
    CHECK(typesOf(bench.hear()) == std::vector<std::string>{"detections"});
}
