#include "uplink/http_files.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.hpp"

namespace fs = std::filesystem;
using edgecam::test::TempFolder;
using edgecam::uplink::findPageFile;
using edgecam::uplink::pageHeaders;
using edgecam::uplink::plainAnswer;

namespace {

void write(const fs::path& file) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "content of " << file.filename();
}

/// root/: index.html, js/page.js, js/index.html, notes.pem, .git/config.json, out.js -> a file outside
struct Page {
    TempFolder folder;
    std::string root = folder.path() + "/root";
    Page() {
        for (const char* name :
             {"index.html", "js/page.js", "js/index.html", "notes.pem", ".git/config.json"}) {
            write(fs::path(root) / name);
        }
        write(fs::path(folder.path()) / "secret.js");
        write(fs::path(folder.path()) / "root2/near.js");
        fs::create_symlink("../secret.js", fs::path(root) / "out.js");
        fs::create_symlink("js/page.js", fs::path(root) / "inside.js");
    }
};

}  // namespace

TEST_CASE("files of the page are found with their type") {
    const Page page;
    const auto index = findPageFile(page.root, "/");
    REQUIRE(index);
    CHECK(index->path.ends_with("/root/index.html"));
    CHECK(index->mime == "text/html; charset=utf-8");
    const auto script = findPageFile(page.root, "/js/page.js");
    REQUIRE(script);
    CHECK(script->mime == "text/javascript; charset=utf-8");
    CHECK(findPageFile(page.root, "/js/"));
    CHECK(findPageFile(page.root, "/inside.js"));
}

TEST_CASE("nothing outside the root, hidden, unlisted or oddly named is found") {
    const Page page;
    for (const char* path : {"/../secret.js", "/js/../../secret.js", "/..", "/.git/config.json", "/notes.pem",
                             "/out.js", "//secret.js", "/js//page.js", "/js", "/absent.js", "", "index.html",
                             "/js/page.js\n", "/js\\page.js", "/%2e%2e/secret.js", "/../root2/near.js"}) {
        CAPTURE(path);
        CHECK_FALSE(findPageFile(page.root, path));
    }
    CHECK_FALSE(findPageFile(page.root, std::string_view("/index.html\0.html", 17)));
    CHECK_FALSE(findPageFile("", "/index.html"));
    CHECK_FALSE(findPageFile(page.root + "/nowhere", "/index.html"));
}

TEST_CASE("a page may connect to where it came from, and to nowhere else") {
    CHECK(
        pageHeaders("box.local:8080").find("connect-src 'self' ws://box.local:8080 wss://box.local:8080;") !=
        std::string::npos);
    for (const char* line :
         {"Cache-Control: no-cache\r\n", "Content-Security-Policy: default-src 'self'; ",
          "frame-ancestors 'none'\r\n", "object-src 'none'; base-uri 'none'; form-action 'none'; ",
          "X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: no-referrer\r\n",
          "Cross-Origin-Resource-Policy: same-origin\r\n"}) {
        CAPTURE(line);
        CHECK(pageHeaders("127.0.0.1").find(line) != std::string::npos);
    }
    // Neither an IPv6 address nor a name that would write policy of its own can be in one.
    for (const char* host : {"[::1]:8080", "x; script-src *.local", "x *.local", "", "a\r\nb.local"}) {
        CAPTURE(host);
        CHECK(pageHeaders(host).find("connect-src 'self' ws: wss:;") != std::string::npos);
        CHECK(pageHeaders(host).find("unsafe") == std::string::npos);
    }
}

TEST_CASE("an answer carries its length, its type and the security headers") {
    const std::string answer = plainAnswer(405, "text/plain", "no");
    CHECK(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
    for (const char* line :
         {"\r\nContent-Length: 2\r\n", "\r\nAllow: GET, HEAD\r\n", "\r\nConnection: close\r\n",
          "\r\nX-Content-Type-Options: nosniff\r\n", "\r\nX-Frame-Options: DENY\r\n",
          "\r\nReferrer-Policy: no-referrer\r\n", "\r\nCache-Control: no-store\r\n",
          "default-src 'none'; frame-ancestors 'none'\r\n"}) {
        CAPTURE(line);
        CHECK(answer.find(line) != std::string::npos);
    }
    CHECK(answer.ends_with("\r\n\r\nno"));
    CHECK(plainAnswer(200, "text/plain", "no", false).ends_with("\r\n\r\n"));
}
