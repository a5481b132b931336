#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "agent/secret_file.hpp"
#include "tests/support/temp_folder.hpp"

using namespace edgecam;
using namespace edgecam::agent;

namespace {

std::string make(const std::string& path, const std::string& text, mode_t mode = 0600) {
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
}

/// $CREDENTIALS_DIRECTORY while it lives.
class Credentials {
  public:
    explicit Credentials(const std::string& folder) { setenv("CREDENTIALS_DIRECTORY", folder.c_str(), 1); }
    ~Credentials() { unsetenv("CREDENTIALS_DIRECTORY"); }
    Credentials(const Credentials&) = delete;
    Credentials& operator=(const Credentials&) = delete;
};

}  // namespace

TEST_CASE("a secret's lines are its words, without blanks, remarks and empty lines") {
    const test::TempFolder temp;
    const auto lines = readSecretLines(make(temp.path() + "/t", "# of the console\n  one \r\n\n\ttwo\nthree"));
    REQUIRE(lines);
    CHECK(*lines == std::vector<std::string>{"one", "two", "three"});
    CHECK(readSecretLines(make(temp.path() + "/empty", "\n"))->empty());
}

TEST_CASE("a secret that others may read is none, and the words say how to mend that") {
    const test::TempFolder temp;
    for (const mode_t mode : {0640U, 0604U, 0666U, 0610U}) {
        CAPTURE(mode);
        const auto lines = readSecretLines(make(temp.path() + "/t", "x", mode));
        REQUIRE_FALSE(lines);
        CHECK(lines.error().message.find("chmod 600") != std::string::npos);
    }
    CHECK(readSecretLines(make(temp.path() + "/t", "x", 0400)));
    CHECK_FALSE(readSecretLines(temp.path() + "/absent"));
    CHECK_FALSE(readSecretLines(temp.path()));
    CHECK_FALSE(readSecretLines(make(temp.path() + "/large", std::string(100'000, 'x'))));
}

TEST_CASE("a name is looked for among systemd's credentials first") {
    const test::TempFolder temp;
    const std::string credentials = temp.path() + "/credentials";
    std::filesystem::create_directory(credentials);
    make(credentials + "/door", "secret", 0440);  // as systemd makes them for a group
    CHECK(findSecret("door", "/etc/edgecam") == "/etc/edgecam/door");
    const Credentials set(credentials);
    CHECK(findSecret("door", "/etc/edgecam") == credentials + "/door");
    CHECK(findSecret("yard", "/etc/edgecam") == "/etc/edgecam/yard");
    CHECK(findSecret("/door", "/etc/edgecam") == "/door");
    CHECK(findSecret("", "/etc/edgecam").empty());
    CHECK(readSecretLines(credentials + "/door"));
}

TEST_CASE("a file that is written, replaced, made or removed has another stamp") {
    const test::TempFolder temp;
    const std::string path = temp.path() + "/t";
    const FileStamp none = stampOf(path);
    CHECK(none == FileStamp{});
    make(path, "one");
    const FileStamp first = stampOf(path);
    CHECK_FALSE(first == none);
    CHECK(stampOf(path) == first);
    make(temp.path() + "/other", "two");
    std::filesystem::rename(temp.path() + "/other", path);
    CHECK_FALSE(stampOf(path) == first);
    std::filesystem::remove(path);
    CHECK(stampOf(path) == none);
}
