// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * A device without a GPU: driver, cuBLAS and NVRTC of {@code src/test/cpp}, over the memory and the
 * processor of this machine. It runs the kernels from their sources, and is stricter than a GPU:
 * accesses outside of buffers, barriers that only some threads reach and shared memory that is read
 * before it is written are errors or NaN, and {@link #bothOrders} finds races.
 *
 * <p>Tests that use it are skipped, with a printed reason, where there is no g++. With {@code
 * -Dmegaclass.device=gpu} they run on the first GPU of this machine instead.
 */
final class HostCuda {
  private static final boolean EMULATED = !"gpu".equals(System.getProperty("megaclass.device"));

  private static @Nullable CudaLibraries loaded;
  private static int opened;

  private HostCuda() {}

  /** Opens the first device, for this thread. */
  static Device open() {
    return open(0);
  }

  /** Opens a device, for this thread; the emulation has four. */
  static synchronized Device open(int number) {
    var libraries = libraries();
    opened++;
    return EMULATED
        ? Device.open(libraries, number, HostCudaBuild.FOLDER.resolve("cache"))
        : Device.open(libraries, number);
  }

  /** NCCL, for several devices. */
  static NativeFunctions nccl() {
    return EMULATED ? libraries().driver() : CudaLibraries.findNccl();
  }

  /** Whether {@link #open} opens the emulation; else a GPU. */
  static boolean isEmulated() {
    return EMULATED;
  }

  /** How many devices were opened so far. */
  static int opened() {
    return opened;
  }

  /**
   * A setting of the emulation, until it is closed. It concerns all devices of this process, and
   * does nothing to a GPU.
   */
  interface Setting extends AutoCloseable {
    @Override
    void close();
  }

  /** Gives the device a memory of so many bytes; 8 GiB are usual. */
  static Setting memory(long bytes) {
    set("megaclassHostMemory", bytes);
    return () -> set("megaclassHostMemory", 8L << 30);
  }

  /**
   * Every kernel runs twice, with threads and blocks in ascending and in descending order; if the
   * results differ by a bit, the launch fails. Costs a few copies of all device memory a launch.
   */
  static Setting bothOrders() {
    set("megaclassHostBothOrders", 1);
    return () -> set("megaclassHostBothOrders", 0);
  }

  /** Threads of a block, and blocks, run from the last to the first. */
  static Setting reverse() {
    set("megaclassHostReverse", 1, 1);
    return () -> set("megaclassHostReverse", 0, 0);
  }

  /**
   * What is asked of the device happens as late as possible: when somebody waits. Finds memory of
   * the host that is read or changed before the device is done with it.
   */
  static Setting late() {
    set("megaclassHostLate", 1);
    return () -> set("megaclassHostLate", 0);
  }

  /** How much was asked of devices that has not happened yet, with {@link #late}. */
  static int pending() {
    return libraries().driver().call("megaclassHostPending");
  }

  /**
   * Whether an access that the processor refuses is an error of the launch; so it is on x86-64 with
   * Linux. Elsewhere it ends the process.
   */
  static boolean catchesFaults() {
    return libraries().driver().call("megaclassHostCatchesFaults") != 0;
  }

  private static void set(String function, Object... values) {
    if (!EMULATED) {
      return;
    }
    int code = libraries().driver().call(function, values);
    if (code != 0) {
      throw new AssertionError(function + " gave " + code);
    }
  }

  private static synchronized CudaLibraries libraries() {
    if (loaded == null && !EMULATED) {
      loaded = CudaLibraries.find();
      // Held until the process ends: a context that nobody holds is made anew for each test.
      var driver = new CudaDriver(loaded.driver());
      driver.initialise();
      driver.retainContext(driver.device(0));
    }
    if (loaded == null) {
      if (!HostCudaBuild.hasCompiler()) {
        String reason = "skipped: there is no g++, which compiles the kernels for the processor";
        System.err.println(reason);
        Assumptions.abort(reason);
      }
      Path library = HostCudaBuild.library(Path.of("").toAbsolutePath());
      var functions = new NativeFunctions(SymbolLookup.libraryLookup(library, Arena.global()));
      loaded = new CudaLibraries(functions, functions, functions);
    }
    return loaded;
  }
}
