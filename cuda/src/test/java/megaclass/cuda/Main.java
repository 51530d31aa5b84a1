// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * What {@code gpu/check} runs: all tests of this module that open a device, on the device that
 * {@link HostCuda} opens, and then {@link GpuSpeed} and {@link HeadSpeed}. Prints a table; exits
 * with 1 when a test failed or there is no device.
 */
final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    String description;
    try (var device = HostCuda.open()) {
      description = device.description();
    } catch (CudaException e) {
      System.out.println("no GPU was checked: " + e.getMessage());
      System.exit(1);
      return;
    }
    System.out.println("device    " + description);
    System.out.println("machine   " + System.getProperty("os.name") + ", JDK " + Runtime.version());
    long failures = verify();
    if (arguments.length == 0 || !arguments[0].equals("--verify-only")) {
      try (var device = HostCuda.open()) {
        new GpuSpeed(device).print();
      }
      HeadSpeed.print();
    }
    System.exit(failures == 0 ? 0 : 1);
  }

  /** Runs the tests and returns how many failed. */
  private static long verify() {
    var request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(DiscoverySelectors.selectPackage(Main.class.getPackageName()))
            .filters(ClassNameFilter.includeClassNamePatterns(".*Test"))
            .build();
    var results = new Results();
    LauncherFactory.create().execute(request, results);
    System.out.printf(
        "%n%-28s %6s %6s %7s %9s%n", "verified", "passed", "failed", "skipped", "seconds");
    results.classes.forEach(
        (name, counts) -> {
          if (counts.devices > 0 || counts.failed > 0) {
            System.out.printf(
                "%-28s %6d %6d %7d %9.1f%n",
                name, counts.passed, counts.failed, counts.skipped, counts.nanos * 1e-9);
          }
        });
    return results.classes.values().stream().mapToLong(counts -> counts.failed).sum();
  }

  /** What became of the tests of one class. */
  private static final class Counts {
    private int passed;
    private int failed;
    private int skipped;
    private int devices;
    private long nanos;
  }

  /** Counts by class, and prints failures as they come. */
  private static final class Results implements TestExecutionListener {
    private final Map<String, Counts> classes = new LinkedHashMap<>();
    private int opened;
    private long started;

    @Override
    public void executionStarted(TestIdentifier test) {
      if (test.isTest()) {
        opened = HostCuda.opened();
        started = System.nanoTime();
      }
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
      if (test.isTest() && test.getSource().orElse(null) instanceof MethodSource method) {
        String name = method.getClassName();
        var counts =
            classes.computeIfAbsent(name.substring(name.lastIndexOf('.') + 1), _ -> new Counts());
        counts.devices += HostCuda.opened() - opened;
        counts.nanos += System.nanoTime() - started;
        switch (result.getStatus()) {
          case SUCCESSFUL -> counts.passed++;
          case ABORTED -> counts.skipped++;
          case FAILED -> {
            counts.failed++;
            System.out.printf(
                "FAILED    %s.%s %s: %s%n",
                name,
                method.getMethodName(),
                test.getDisplayName(),
                result.getThrowable().map(Throwable::toString).orElse(""));
          }
        }
      }
    }
  }
}
