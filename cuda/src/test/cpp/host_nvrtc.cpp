// SPDX-License-Identifier: Apache-2.0
//
// The functions of NVRTC that Megaclass calls. The kernels were compiled by g++ with this library,
// so compiling means to find them: the machine code of rows.cu is its name.

#include <stdlib.h>
#include <string.h>

#include <regex>
#include <string>

#include "host_driver.h"

namespace megaclass_host {
namespace {

constexpr int kInvalidInput = 3;             // NVRTC_ERROR_INVALID_INPUT
constexpr int kCompilationFailed = 6;  // NVRTC_ERROR_COMPILATION

struct Program {
  std::string source;
  std::string module;
  std::string log;
};

/** Empty, or the kernel of this source that the module was built without. */
std::string missing_kernel(const Program& program) {
  static const std::regex kernel("\nextern \"C\" __global__ void (\\w+)\\(");
  std::sregex_iterator matches(program.source.begin(), program.source.end(), kernel);
  for (; matches != std::sregex_iterator(); ++matches) {
    std::string name = (*matches)[1];
    if (find_kernel(program.module, name) == nullptr) return name;
  }
  return "";
}

}  // namespace
}  // namespace megaclass_host

using namespace megaclass_host;

MEGACLASS_EXPORT int nvrtcVersion(int* major, int* minor) {
  *major = 13;
  *minor = 0;
  return 0;
}

MEGACLASS_EXPORT int nvrtcCreateProgram(Program** program, const char* source, const char* name,
                                        int, const char**, const char**) {
  if (name == nullptr) return kInvalidInput;
  std::string module = name;
  module = module.substr(module.rfind('/') + 1);
  *program = new Program{source, module.substr(0, module.find('.')), ""};
  return 0;
}

MEGACLASS_EXPORT int nvrtcCompileProgram(Program* program, int num_options,
                                         const char** options) {
  std::string& log = program->log;
  for (int i = 0; i < num_options; i++) {
    if (strncmp(options[i], "-D", 2) == 0 || strncmp(options[i], "--define", 8) == 0) {
      log += std::string("cannot define a macro after g++ has run: ") + options[i] + "\n";
    }
  }
  if (!has_module(program->module)) {
    log += "no kernels of " + program->module + ".cu were compiled by g++\n";
  } else if (std::string missing = missing_kernel(*program); !missing.empty()) {
    log += "kernel " + missing + " was not compiled by g++\n";
  }
  return log.empty() ? 0 : kCompilationFailed;
}

MEGACLASS_EXPORT int nvrtcGetProgramLogSize(Program* program, size_t* bytes) {
  *bytes = program->log.size() + 1;
  return 0;
}

MEGACLASS_EXPORT int nvrtcGetProgramLog(Program* program, char* log) {
  strcpy(log, program->log.c_str());
  return 0;
}

MEGACLASS_EXPORT int nvrtcGetCUBINSize(Program* program, size_t* bytes) {
  *bytes = strlen(kImageMagic) + program->module.size() + 1;
  return 0;
}

MEGACLASS_EXPORT int nvrtcGetCUBIN(Program* program, char* image) {
  strcpy(image, (kImageMagic + program->module).c_str());
  return 0;
}

MEGACLASS_EXPORT int nvrtcGetPTXSize(Program* program, size_t* bytes) {
  return nvrtcGetCUBINSize(program, bytes);
}

MEGACLASS_EXPORT int nvrtcGetPTX(Program* program, char* image) {
  return nvrtcGetCUBIN(program, image);
}

MEGACLASS_EXPORT int nvrtcDestroyProgram(Program** program) {
  delete *program;
  *program = nullptr;
  return 0;
}

MEGACLASS_EXPORT const char* nvrtcGetErrorString(int code) {
  switch (code) {
    case 0:
      return "NVRTC_SUCCESS";
    case kInvalidInput:
      return "NVRTC_ERROR_INVALID_INPUT";
    case kCompilationFailed:
      return "NVRTC_ERROR_COMPILATION";
    default:
      return "an unknown result";
  }
}
