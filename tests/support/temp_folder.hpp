// A folder of a test's own, gone with the test.
#pragma once

#include <glib.h>

#include <filesystem>
#include <string>

namespace edgecam::test {

class TempFolder {
  public:
    TempFolder() {
        g_autofree char* made = g_dir_make_tmp("edgecam-test-XXXXXX", nullptr);
        path_ = made;
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

}  // namespace edgecam::test
