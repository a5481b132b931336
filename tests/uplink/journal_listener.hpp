// Hears what a journal says, from its thread, and waits for it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <vector>

#include "uplink/journal.hpp"

namespace edgecam::uplink::test {

class JournalListener {
  public:
    [[nodiscard]] Journal::Callbacks callbacks() {
        return {
            .committed = [this](const std::string&,
                                std::int64_t newest) { change([&] { committed.push_back(newest); }); },
            .unstored =
                [this](const FaceEvent& event) { change([&] { unstored.push_back(event.trackId); }); },
            .changed = [this](const JournalStatus& status) { change([&] { changes.push_back(status); }); }};
    }

    /// Waits until `there` holds, for 10 s at most. Called under the lock: it may look at the members.
    bool waitFor(const std::function<bool()>& there) {
        std::unique_lock lock(mutex_);
        return news_.wait_for(lock, std::chrono::seconds(10), there);
    }

    std::vector<std::int64_t> committed;
    std::vector<std::uint64_t> unstored;
    std::vector<JournalStatus> changes;

  private:
    void change(const std::function<void()>& how) {
        {
            const std::lock_guard lock(mutex_);
            how();
        }
        news_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable news_;
};

inline JournalPage readAll(Journal& journal, std::int64_t after = 0) {
    std::promise<JournalPage> answer;
    journal.read(after, 1'000'000, std::size_t{1} << 30,
                 [&](JournalPage page) { answer.set_value(std::move(page)); });
    return answer.get_future().get();
}

inline std::int64_t positionOf(Journal& journal, const std::string& consumer) {
    std::promise<std::int64_t> answer;
    journal.position(consumer, [&](const std::string&, std::int64_t seq) { answer.set_value(seq); });
    return answer.get_future().get();
}

}  // namespace edgecam::uplink::test
