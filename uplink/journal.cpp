// The journal's thread: a bounded queue in front of the store, and what is due when.
#include "uplink/journal.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <latch>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/heartbeat.hpp"
#include "base/log.hpp"
#include "uplink/back_off.hpp"
#include "uplink/journal_row.hpp"
#include "uplink/journal_store.hpp"
#include "uplink/trusted_time.hpp"

namespace edgecam::uplink {
namespace {

/// An idle thread shows that it lives.
constexpr Microseconds kLookUp = std::chrono::seconds(5);
constexpr std::size_t kMostWaiting = 4096;
constexpr std::size_t kMostWaitingBytes = 4 << 20;
/// So many events are committed without waiting for more.
constexpr std::size_t kGroupEvents = 256;

// Positions ride along with a commit. Losing one means sending again, so they can wait for company: each
// costs as much flash as an event.
constexpr std::int64_t kSettleRows = 128;
constexpr Microseconds kSettleWithin = std::chrono::minutes(10);

/// One box, one disk: nobody to keep out of step with.
BackOff patience() {
    return BackOff({.first = std::chrono::seconds(1)}, [] { return 1.0; });
}

std::size_t memoryOf(const FaceEvent& event) {
    const bool pictured = event.snapshot && event.snapshot->jpeg;
    return sizeof event + event.eventId.size() + event.cameraId.size() +
           (pictured ? event.snapshot->jpeg->size() : 0);
}

class JournalThread final : public Journal {
  public:
    JournalThread(JournalSettings settings, const Clock& clock, Callbacks callbacks)
        : settings_(std::move(settings)),
          clock_(clock),
          callbacks_(std::move(callbacks)),
          consumers_(settings_.consumers),
          store_(settings_) {
        thread_ = std::thread([this] { run(); });
        pthread_setname_np(thread_.native_handle(), "journal");
        triedToOpen_.wait();
    }
    ~JournalThread() override {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }

    void append(const FaceEvent& event) override;
    void keepFor(std::vector<std::string> consumers) override;
    void passed(const std::string& consumer, const std::string& journal, std::int64_t seq) override;
    void read(std::int64_t after, std::size_t count, std::size_t bytes,
              std::function<void(JournalPage)> done) override;
    void readSnapshot(std::int64_t seq, std::function<void(JournalSnapshot)> done) override;
    void readFor(const std::string& consumer, std::size_t count, std::size_t bytes,
                 std::function<void(JournalPage)> done) override;
    void position(const std::string& consumer,
                  std::function<void(const std::string&, std::int64_t)> done) override;
    [[nodiscard]] JournalStatus status() const override;

  private:
    using Request = std::function<void()>;
    struct Inbox {
        std::vector<FaceEvent> events;
        Monotonic since;  ///< when the first of them came
        std::size_t bytes = 0;
        std::vector<Request> requests;
        std::map<std::string, std::pair<std::string, std::int64_t>> passed;  ///< consumer -> journal, seq
    };

    void post(Request request);
    void postWhenOpen(Request request);

    // The thread.
    void run();
    [[nodiscard]] Monotonic nextDue() const;  ///< under mutex_
    Inbox take(bool everything);              ///< under mutex_
    void work(Inbox inbox, bool last);
    void note(const std::map<std::string, std::pair<std::string, std::int64_t>>& passed);
    void store(const std::vector<FaceEvent>& events, bool last);
    Result<std::int64_t> tryToCommit(const JournalStore::Work& work);
    Result<void> openStore();
    Result<void> replaceStore(const Error& why);
    void opened();
    void committed(const std::vector<FaceEvent>& events, std::int64_t discarded);
    void failed(const Error& error);
    void tellUnstored(const std::vector<FaceEvent>& events);
    void answerRead(std::int64_t after, std::size_t count, std::size_t bytes,
                    const std::function<void(JournalPage)>& done);
    void troubledReading(const Error& error);
    /// Changes the status, and says so where ok or the UUID are others now.
    void update(const std::function<void(JournalStatus&)>& change);

    const JournalSettings settings_;
    const Clock& clock_;
    const Callbacks callbacks_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    Inbox inbox_;
    bool stopping_ = false;
    std::vector<std::string> consumers_;  ///< as they were last asked for
    JournalStatus status_;
    std::latch triedToOpen_{1};

    // The thread's own.
    JournalStore store_;
    TrustedTime time_;
    BackOff backOff_ = patience();
    std::optional<Monotonic> retryAt_;   ///< while in trouble
    std::optional<Monotonic> settleAt_;  ///< while positions wait to be written
    Monotonic ageCheckAt_{};
    std::vector<Request> untilOpen_;

    Heartbeat heart_{"journal"};
    std::thread thread_;
};

void JournalThread::append(const FaceEvent& event) {
    {
        const std::lock_guard lock(mutex_);
        if (consumers_.empty()) return;
        FaceEvent kept = event;
        // Where there is little room pictures go before events.
        if (inbox_.bytes > kMostWaitingBytes / 2) kept.snapshot.reset();
        const std::size_t bytes = memoryOf(kept);
        if (inbox_.events.size() < kMostWaiting && inbox_.bytes + bytes <= kMostWaitingBytes) {
            if (inbox_.events.empty()) inbox_.since = clock_.monotonic();
            inbox_.events.push_back(std::move(kept));
            inbox_.bytes += bytes;
            wake_.notify_one();
            return;
        }
        ++status_.unstored;
    }
    if (callbacks_.unstored) callbacks_.unstored(event);
}

void JournalThread::keepFor(std::vector<std::string> consumers) {
    {
        const std::lock_guard lock(mutex_);
        if (consumers == consumers_) return;
        consumers_ = consumers;
        // In the order in which it was asked for: a read that comes after it is the new consumer's.
        inbox_.requests.emplace_back([this, consumers = std::move(consumers)] { store_.keepFor(consumers); });
    }
    wake_.notify_one();
}

void JournalThread::passed(const std::string& consumer, const std::string& journal, std::int64_t seq) {
    {
        const std::lock_guard lock(mutex_);
        if (std::ranges::find(consumers_, consumer) == consumers_.end()) return;
        auto& [ofJournal, furthest] = inbox_.passed[consumer];
        furthest = ofJournal == journal ? std::max(furthest, seq) : seq;
        ofJournal = journal;
    }
    wake_.notify_one();
}

void JournalThread::post(Request request) {
    {
        const std::lock_guard lock(mutex_);
        inbox_.requests.push_back(std::move(request));
    }
    wake_.notify_one();
}

void JournalThread::read(std::int64_t after, std::size_t count, std::size_t bytes,
                         std::function<void(JournalPage)> done) {
    post([this, after, count, bytes, done = std::move(done)] { answerRead(after, count, bytes, done); });
}

void JournalThread::readSnapshot(std::int64_t seq, std::function<void(JournalSnapshot)> done) {
    post([this, seq, done = std::move(done)] {
        const auto jpeg = store_.snapshot(seq);
        if (!jpeg) troubledReading(jpeg.error());
        done(jpeg ? JournalSnapshot{store_.journal(), seq, *jpeg} : JournalSnapshot{"", seq, nullptr});
    });
}

void JournalThread::position(const std::string& consumer,
                             std::function<void(const std::string&, std::int64_t)> done) {
    postWhenOpen(
        [this, consumer, done = std::move(done)] { done(store_.journal(), store_.position(consumer)); });
}

void JournalThread::readFor(const std::string& consumer, std::size_t count, std::size_t bytes,
                            std::function<void(JournalPage)> done) {
    postWhenOpen([this, consumer, count, bytes, done = std::move(done)] {
        answerRead(store_.position(consumer), count, bytes, done);
    });
}

void JournalThread::postWhenOpen(Request request) {
    post([this, request = std::move(request)] {
        if (store_.journal().empty()) {
            untilOpen_.push_back(request);
        } else {
            request();
        }
    });
}

JournalStatus JournalThread::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void JournalThread::run() {
    if (const auto open = openStore(); !open) failed(open.error());
    triedToOpen_.count_down();
    for (bool last = false; !last;) {
        heart_.beat();
        Inbox inbox;
        {
            std::unique_lock lock(mutex_);
            // Whoever puts something in wakes this thread, and each time it looks at its clock anew: where a
            // test holds the hands, a call is enough to show it what time it is.
            while (!stopping_ && inbox_.requests.empty() && inbox_.passed.empty()) {
                const Microseconds wait = nextDue() - clock_.monotonic();
                if (wait <= Microseconds::zero()) break;
                wake_.wait_for(lock, std::min<Microseconds>(wait, kLookUp));
                heart_.beat();
            }
            last = stopping_;
            inbox = take(last);
        }
        work(std::move(inbox), last);
    }
    store_.close();
}

Monotonic JournalThread::nextDue() const {
    // While in trouble nothing is tried but then.
    Monotonic due = retryAt_ ? *retryAt_ : settleAt_ ? std::min(ageCheckAt_, *settleAt_) : ageCheckAt_;
    if (inbox_.events.size() >= kGroupEvents) return clock_.monotonic();
    if (!inbox_.events.empty()) due = std::min(due, inbox_.since + settings_.groupWithin);
    return due;
}

JournalThread::Inbox JournalThread::take(bool everything) {
    const bool groupIsDue =
        inbox_.events.size() >= kGroupEvents || clock_.monotonic() - inbox_.since >= settings_.groupWithin;
    if (everything || groupIsDue) return std::exchange(inbox_, {});
    Inbox taken;
    taken.requests.swap(inbox_.requests);
    taken.passed.swap(inbox_.passed);
    return taken;
}

void JournalThread::work(Inbox inbox, bool last) {
    note(inbox.passed);
    store(inbox.events, last);
    for (const Request& request : inbox.requests) request();
}

void JournalThread::note(const std::map<std::string, std::pair<std::string, std::int64_t>>& passed) {
    for (const auto& [consumer, position] : passed) {
        if (position.first == store_.journal()) store_.passed(consumer, position.second);
    }
    if (store_.unsettled() == 0) {
        settleAt_.reset();
    } else if (!settleAt_) {
        settleAt_ = clock_.monotonic() + kSettleWithin;
    }
}

void JournalThread::store(const std::vector<FaceEvent>& events, bool last) {
    const Monotonic now = clock_.monotonic();
    if (!events.empty() && events.back().clockSynced) time_.synced(clock_.utc(), now);
    const bool retry = retryAt_ && (now >= *retryAt_ || last);
    if (retryAt_ && !retry) return tellUnstored(events);

    JournalStore::Work work{.events = events, .probe = retry && events.empty() && !last};
    const std::int64_t rows = events.empty() ? 4 * kSettleRows : kSettleRows;
    work.settle = last || store_.unsettled() >= rows || (settleAt_ && now >= *settleAt_);
    if (now >= ageCheckAt_) {
        work.now = time_.now(now);
        // Seldom, so that one gap stands for many events.
        ageCheckAt_ = now + std::clamp<Microseconds>(settings_.maxAge / 32, std::chrono::seconds(1),
                                                     std::chrono::hours(1));
    }
    if (events.empty() && !work.settle && !work.now && !retry) return;
    if (const auto discarded = tryToCommit(work)) {
        if (work.settle) settleAt_.reset();
        committed(events, *discarded);
    } else {
        failed(discarded.error());
        tellUnstored(events);
    }
}

/// A file that turns out to be corrupt is replaced, and the work done in the new one.
Result<std::int64_t> JournalThread::tryToCommit(const JournalStore::Work& work) {
    if (!store_.isOpen()) {
        if (const auto open = openStore(); !open) return open.error();
    }
    auto done = store_.commit(work);
    if (done || !store_.damaged()) return done;
    if (const auto replaced = replaceStore(done.error()); !replaced) return replaced.error();
    return store_.commit(work);
}

Result<void> JournalThread::openStore() {
    const Heartbeat::Rest rest(heart_);  // a big file is read as a whole
    auto open = store_.open();
    if (!open && store_.damaged()) return replaceStore(open.error());
    if (open) opened();
    return open;
}

Result<void> JournalThread::replaceStore(const Error& why) {
    const auto aside = store_.setAside();
    if (!aside) return aside.error();
    logError("uplink", "the journal cannot be used (", why.message, "); it is now ", *aside,
             ", and a new one begins");
    update([&](JournalStatus& status) { status.setAside = *aside; });
    auto open = store_.open();
    if (open) opened();
    return open;
}

void JournalThread::opened() {
    update([this](JournalStatus& status) { status.journal = store_.journal(); });
    for (const Request& answer : std::exchange(untilOpen_, {})) answer();
}

void JournalThread::committed(const std::vector<FaceEvent>& events, std::int64_t discarded) {
    // Said before anybody can be told of them: what a log holds, the disk holds.
    for (const FaceEvent& event : events) logDebug("uplink", "the journal holds event ", event.eventId);
    if (retryAt_) logInfo("uplink", "the journal can be written again");
    retryAt_.reset();
    backOff_ = patience();
    const bool news = !events.empty() || discarded > 0;
    update([&](JournalStatus& status) {
        status.ok = true;
        status.trouble.clear();
        status.committed += events.size();
        status.discarded += static_cast<std::uint64_t>(discarded);
        if (news) ++status.commits;
    });
    if (news && callbacks_.committed) callbacks_.committed(store_.journal(), store_.newest());
}

void JournalThread::failed(const Error& error) {
    const Error whole = error.within("the journal " + store_.path() + " cannot be written");
    if (!retryAt_) logError("uplink", whole.message);
    retryAt_ = clock_.monotonic() + backOff_.afterFailure();
    update([&](JournalStatus& status) {
        status.ok = false;
        status.trouble = whole.message;
    });
}

void JournalThread::tellUnstored(const std::vector<FaceEvent>& events) {
    if (events.empty()) return;
    update([&](JournalStatus& status) { status.unstored += events.size(); });
    if (!callbacks_.unstored) return;
    for (const FaceEvent& event : events) callbacks_.unstored(event);
}

void JournalThread::answerRead(std::int64_t after, std::size_t count, std::size_t bytes,
                               const std::function<void(JournalPage)>& done) {
    auto page = store_.read(after, count, bytes);
    if (!page) troubledReading(page.error());
    done(page ? std::move(*page) : JournalPage{});
}

void JournalThread::troubledReading(const Error& error) {
    if (store_.damaged()) {
        if (const auto replaced = replaceStore(error); !replaced) failed(replaced.error());
    } else if (!retryAt_) {
        failed(error);
    }
}

void JournalThread::update(const std::function<void(JournalStatus&)>& change) {
    JournalStatus now;
    bool changed = false;
    {
        const std::lock_guard lock(mutex_);
        const bool ok = status_.ok;
        const std::string journal = status_.journal;
        change(status_);
        status_.newest = store_.newest();
        status_.records = store_.records();
        status_.bytes = store_.bytes();
        changed = ok != status_.ok || journal != status_.journal;
        now = status_;
    }
    if (changed && callbacks_.changed) callbacks_.changed(now);
}

}  // namespace

std::unique_ptr<Journal> Journal::open(JournalSettings settings, const Clock& clock, Callbacks callbacks) {
    return std::make_unique<JournalThread>(std::move(settings), clock, std::move(callbacks));
}

}  // namespace edgecam::uplink
