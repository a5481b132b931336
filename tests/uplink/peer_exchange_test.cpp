#include "uplink/peer_exchange.hpp"

#include <doctest/doctest.h>

#include <set>

#include <thread>

#include "tests/uplink/session_bench.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

/// Two viewers on one exchange.
struct Hall {
    Hall() {
        AgentView view;
        for (const char* cameraId : {"cam_123", "door"}) view.cameras[cameraId] = cameraOf(cameraId);
        exchange = std::make_unique<PeerExchange>(view, 64 << 10, *one.clock);
        SessionLimits limits;
        limits.lanes.videoBytes = 64 << 20;  // the exchange's own bound is the narrow one here
        for (SessionBench* bench : {&one, &two}) {
            bench->session = PeerSession::forViewer(PeerExchange::nextSessionId(), limits, *bench->access,
                                                    Grant{Role::operator_, {}}, exchange->agent(),
                                                    *bench->agent, *bench->clock);
            bench->hear();
            exchange->add(*bench->session);
        }
    }
    void grant(SessionBench& bench) {
        bench.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123"})");
        exchange->complete(bench.session->id(), bench.agent->commands.back().ticket,
                           SessionBench::grantOf(5, 1, 100));
        exchange->drain();
        bench.hear();
    }

    SessionBench one, two;
    std::unique_ptr<PeerExchange> exchange;
};

}  // namespace

TEST_CASE("what is put in reaches the sessions it is for, and only those have output") {
    Hall hall;
    hall.grant(hall.one);
    hall.exchange->publish(deltaOf(5, 1, 101));
    CHECK_FALSE(hall.one.session->hasOutput());  // not before the service's thread takes it
    hall.exchange->drain();
    CHECK(hall.one.session->hasOutput());
    CHECK_FALSE(hall.two.session->hasOutput());
    CHECK(typesOf(hall.one.hear()) == std::vector<std::string>{"binary"});

    hall.exchange->publish(faceOf("door", 1, FacePhase::enter));
    hall.exchange->drain();
    CHECK(hall.one.only("face_detected").text == hall.two.only("face_detected").text);
    hall.exchange->drain();
    CHECK_FALSE(hall.one.session->hasOutput());
    CHECK_FALSE(hall.two.session->hasOutput());
}

TEST_CASE("one cut serves all who follow: the bytes are the same") {
    Hall hall;
    hall.grant(hall.one);
    hall.grant(hall.two);
    hall.exchange->publish(deltaOf(5, 1, 101));
    hall.exchange->drain();
    const auto first = hall.one.session->pop();
    const auto second = hall.two.session->pop();
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->payload() == second->payload());
}

TEST_CASE("what is cut from now on has the new size, also what was cached for a start") {
    Hall hall;
    hall.exchange->setPartBytes(30);
    hall.one.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123"})");
    hall.exchange->complete(hall.one.session->id(), hall.one.agent->commands.back().ticket,
                            SessionBench::grantOf(5, 1, 100));
    hall.exchange->publish(deltaOf(5, 1, 101));
    hall.exchange->drain();
    std::vector<std::size_t> sizes;
    for (const Heard& heard : hall.one.hear()) {
        if (heard.binary) sizes.push_back(heard.part.size());
    }
    // The init segment's 50 bytes, the cached key frame's 100, the live delta's 100.
    CHECK(sizes == std::vector<std::size_t>{30, 20, 30, 30, 30, 10, 30, 30, 30, 10});
    hall.exchange->setPartBytes(64 << 10);
    hall.exchange->publish(deltaOf(5, 1, 102));
    hall.exchange->drain();
    CHECK(typesOf(hall.one.hear()) == std::vector<std::string>{"binary"});
}

TEST_CASE("a live picture says when it was made, what was kept for whoever comes does not") {
    Hall hall;
    hall.one.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123"})");
    StreamGrant grant = SessionBench::grantOf(5, 1, 100);
    for (Chunk& chunk : grant.backlog.chunks) chunk.madeAt = Monotonic(1s);
    hall.exchange->complete(hall.one.session->id(), hall.one.agent->commands.back().ticket, grant);
    Chunk live = deltaOf(5, 1, 101);
    live.madeAt = Monotonic(2s);
    hall.exchange->publish(live);
    hall.exchange->drain();
    std::vector<std::optional<Monotonic>> made;
    while (const auto message = hall.one.session->pop()) {
        if (message->isBinary()) made.push_back(message->madeAt());
    }
    REQUIRE(made.size() > 1);
    CHECK(made.back() == Monotonic(2s));
    made.pop_back();
    for (const auto& each : made) CHECK_FALSE(each);
}

TEST_CASE("what became of pictures is in the service's figures, until another process counts") {
    Hall hall;
    hall.exchange->countQueued(3ms);
    hall.exchange->countAcknowledged(40ms);
    hall.exchange->publish(std::make_shared<const AgentFigures>());
    hall.exchange->drain();
    CHECK(hall.exchange->figures()->video.queue.sum == 3ms);
    CHECK(hall.exchange->figures()->video.socket.sum == 40ms);
    ServiceFigures elsewhere;
    elsewhere.video.queue.add(9ms);
    hall.exchange->countElsewhere(elsewhere);
    hall.exchange->publish(std::make_shared<const AgentFigures>());
    hall.exchange->drain();
    CHECK(hall.exchange->figures()->video.queue.sum == 9ms);
}

TEST_CASE("a camera's news are known to sessions that come later") {
    Hall hall;
    CameraStatus status = cameraOf("yard", CameraState::starting);
    hall.exchange->publish(status);
    status.state = CameraState::live;
    hall.exchange->publish(status);
    hall.exchange->drain();
    CHECK(hall.exchange->agent().cameras.at("yard").state == CameraState::live);
    CHECK(hall.one.only("stream_status").str("state") == "live");  // only the newest waited

    hall.exchange->publish(faceOf("door", 4, FacePhase::enter));
    hall.exchange->publish(faceOf("door", 5, FacePhase::update));
    hall.exchange->publish(faceOf("door", 4, FacePhase::leave));
    hall.exchange->drain();
    const auto& live = hall.exchange->agent().liveFaces.at("door");
    CHECK(live.size() == 1);
    CHECK(live.contains(5));
}

TEST_CASE("of an uplink only the newest news wait, and every session hears them") {
    Hall hall;
    hall.exchange->publish(uplinkOf("wss://hub", UplinkState::connecting));
    hall.exchange->publish(uplinkOf("wss://other", UplinkState::live));
    hall.exchange->publish(uplinkOf("wss://hub", UplinkState::backingOff, "no connection"));
    hall.exchange->drain();
    const auto& uplinks = hall.exchange->agent().uplinks;
    REQUIRE(uplinks.size() == 2);
    CHECK(uplinks.at("wss://hub").state == UplinkState::backingOff);
    hall.one.later(100ms);
    hall.two.later(100ms);
    CHECK(hall.one.only("system/status").str("status") == "degraded");
    CHECK(hall.two.only("system/status").str("status") == "degraded");
}

TEST_CASE("outcomes and grants for sessions that are gone are ignored") {
    Hall hall;
    hall.exchange->remove(hall.two.session->id());
    hall.exchange->complete(hall.two.session->id(), 1, Done{});
    hall.exchange->complete(12345, 1, Done{});
    hall.exchange->regrant(12345, "door", {});
    hall.exchange->drain();
    CHECK_FALSE(hall.one.session->hasOutput());
    CHECK_FALSE(hall.two.session->hasOutput());
}

TEST_CASE("a stuck service thread costs chunks up to the next key frame, and says so") {
    Hall hall;
    hall.grant(hall.one);
    const std::size_t megabyte = 1 << 20;
    std::uint32_t sequence = 101;
    for (; sequence < 101 + 16; ++sequence) hall.exchange->publish(deltaOf(5, 1, sequence, megabyte));
    CHECK(hall.exchange->droppedChunks() == 0);
    hall.exchange->publish(deltaOf(5, 1, sequence++, megabyte));
    CHECK(hall.exchange->droppedChunks() == 1);
    hall.exchange->publish(keyOf(6, 2, 1, megabyte));  // of another camera: no room either
    CHECK(hall.exchange->droppedChunks() == 2);
    hall.one.clock->advance(250ms);
    CHECK(hall.exchange->oldestWait() == 250ms);
    hall.exchange->drain();
    CHECK(hall.exchange->oldestWait() == 0ms);
    hall.one.hear();
    hall.exchange->publish(deltaOf(5, 1, sequence++));
    CHECK(hall.exchange->droppedChunks() == 3);
    hall.exchange->publish(initOf(5, 1));
    hall.exchange->publish(keyOf(5, 1, sequence++));
    hall.exchange->publish(deltaOf(5, 1, sequence++));
    hall.exchange->drain();
    hall.one.later(100ms);
    const auto heard = hall.one.hear();
    CHECK(typesOf(heard) == std::vector<std::string>{"drop", "binary", "binary", "binary"});
    CHECK(heard[0].str("frames") == "2");
}

TEST_CASE("faces are bounded too, and no end of a face is lost for it") {
    Hall hall;
    for (std::size_t i = 0; i < PeerExchange::kMaxFaceItems + 10; ++i) {
        hall.exchange->publish(faceOf("door", i, FacePhase::enter));
    }
    CHECK(hall.exchange->droppedFaceItems() == 10);
    for (std::size_t i = 0; i < PeerExchange::kMaxFaceItems; ++i) {
        hall.exchange->publish(faceOf("door", i, FacePhase::leave));
    }
    CHECK(hall.exchange->droppedFaceItems() == 10);
    hall.exchange->drain();
    CHECK(hall.exchange->agent().liveFaces.at("door").empty());
}

TEST_CASE("where many faces wait, they wait without their pictures") {
    Hall hall;
    const auto pictured = [](const char* camera, std::uint64_t track) {
        FaceEvent event = faceOf(camera, track, FacePhase::enter);
        event.snapshot = Snapshot{{60, 80}, 3, share({1, 2, 3})};
        return event;
    };
    hall.exchange->publish(pictured("yard", 1));
    for (std::uint64_t i = 1; i < PeerExchange::kMaxFacePictures; ++i)
        hall.exchange->publish(pictured("door", i));
    hall.exchange->publish(pictured("yard", 2));
    hall.exchange->note(pictured("yard", 3));
    hall.exchange->drain();
    hall.exchange->publish(pictured("yard", 4));
    hall.exchange->drain();
    const auto& faces = hall.exchange->agent().liveFaces.at("yard");
    CHECK(faces.at(1).snapshot);
    CHECK_FALSE(faces.at(2).snapshot);
    CHECK_FALSE(faces.at(3).snapshot);
    CHECK(faces.at(4).snapshot);
}

TEST_CASE("the service thread is woken once for all that waits, and not after it was let go") {
    Hall hall;
    int wakes = 0;
    hall.exchange->publish(cameraOf("yard"));
    hall.exchange->setWake([&] { ++wakes; });
    CHECK(wakes == 1);  // something was there before it
    hall.exchange->publish(faceOf("door", 1, FacePhase::enter));
    hall.exchange->publish(faceOf("door", 2, FacePhase::enter));
    CHECK(wakes == 1);
    hall.exchange->drain();
    hall.exchange->publish(faceOf("door", 3, FacePhase::enter));
    CHECK(wakes == 2);
    hall.exchange->drain();
    hall.exchange->setWake({});
    hall.exchange->publish(faceOf("door", 4, FacePhase::enter));
    CHECK(wakes == 2);
}

TEST_CASE("many threads put in, one takes out, nothing is lost") {
    Hall hall;
    hall.exchange->setWake([] {});
    constexpr std::uint64_t kEach = 500;
    std::vector<std::thread> producers;
    for (std::uint64_t producer = 0; producer < 4; ++producer) {
        producers.emplace_back([&, producer] {
            for (std::uint64_t i = 0; i < kEach; ++i) {
                hall.exchange->publish(faceOf("door", producer * kEach + i, FacePhase::enter));
            }
        });
    }
    std::set<std::string> tracks;
    const auto take = [&] {
        hall.exchange->drain();
        for (const Heard& item : hall.one.hear()) tracks.insert(item.str("track_id"));
    };
    while (tracks.size() < kEach) take();
    for (std::thread& producer : producers) producer.join();
    take();
    CHECK(tracks.size() + hall.exchange->droppedFaceItems() == 4 * kEach);
}

TEST_CASE("a camera that is gone ends for who watched it, and is in no list any more") {
    Hall hall;
    hall.grant(hall.one);
    hall.exchange->publish(faceOf("cam_123", 1, FacePhase::enter));
    hall.exchange->drain();
    hall.one.hear();
    hall.two.hear();
    hall.exchange->removeCamera("cam_123");
    hall.exchange->publish(deltaOf(5, 1, 101));  // what was on its way
    hall.exchange->drain();
    CHECK_FALSE(hall.exchange->agent().cameras.contains("cam_123"));
    CHECK_FALSE(hall.exchange->agent().liveFaces.contains("cam_123"));

    const auto watcher = hall.one.hear();
    REQUIRE(typesOf(watcher) == std::vector<std::string>{"stream_status", "error", "system/status"});
    CHECK(watcher[0].str("state") == "stopped");
    CHECK(watcher[0].str("camera_id") == "cam_123");
    CHECK_FALSE(watcher[0].data()["streaming"].GetBool());
    CHECK(watcher[1].str("code") == "unknown_camera");
    CHECK(watcher[2].data()["cameras"].Size() == 1);
    CHECK(typesOf(hall.two.hear()) == std::vector<std::string>{"stream_status", "system/status"});

    hall.one.say(R"({"type":"stream_control","action":"start","camera_id":"cam_123","id":7})");
    CHECK(hall.one.only("error").str("code") == "unknown_camera");
}

TEST_CASE("a camera that is new is in the list that everybody hears, and can be started") {
    Hall hall;
    hall.exchange->publish(cameraOf("yard"));
    hall.exchange->drain();
    const auto heard = hall.two.hear();
    REQUIRE(typesOf(heard) == std::vector<std::string>{"stream_status", "system/status"});
    CHECK(heard[1].data()["cameras"].Size() == 3);
    hall.exchange->publish(cameraOf("yard"));
    hall.exchange->drain();
    CHECK(hall.two.hear().empty());
    hall.two.say(R"({"type":"stream_control","action":"start","camera_id":"yard"})");
    CHECK(hall.two.agent->commands.back().cameraId == "yard");
}

TEST_CASE("who may not see a camera does not hear that it is gone") {
    Hall hall;
    SessionBench third;
    third.session = PeerSession::forViewer(PeerExchange::nextSessionId(), {}, *third.access,
                                           Grant{Role::viewer, {"door"}}, hall.exchange->agent(),
                                           *third.agent, *third.clock);
    third.hear();
    hall.exchange->add(*third.session);
    hall.exchange->removeCamera("cam_123");
    hall.exchange->drain();
    CHECK(third.hear().empty());
    hall.exchange->remove(third.session->id());
}

TEST_CASE("an uplink that is gone leaves the status at the next tick") {
    Hall hall;
    hall.exchange->publish(uplinkOf("hub", UplinkState::live));
    hall.exchange->drain();
    hall.one.session->tick();
    CHECK(hall.one.only("system/status").data()["uplinks"].Size() == 1);
    hall.one.clock->advance(3s);
    hall.exchange->removeUplink("hub");
    hall.exchange->drain();
    hall.one.session->tick();
    const auto status = hall.one.only("system/status");
    const bool none = !status.data().HasMember("uplinks") || status.data()["uplinks"].Empty();
    CHECK(none);
}
