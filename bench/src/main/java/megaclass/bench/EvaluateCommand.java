// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.List;
import java.util.concurrent.Callable;
import megaclass.eval.Recall;
import megaclass.internal.Check;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code megaclass bench evaluate}: what finding the best classes of many samples costs. */
@Command(
    name = "evaluate",
    header = "measures finding the best classes, among all and through an index, in this JVM",
    synopsisHeading = "%n  ",
    customSynopsis = "megaclass bench evaluate --num-classes N --dim N [flags]",
    sortOptions = false,
    footer = {
      "",
      "Examples",
      "  megaclass bench evaluate --num-classes 100000 --dim 128",
      "  megaclass bench evaluate --num-classes 1000000 --dim 128 --recall 0.99"
    })
final class EvaluateCommand implements Callable<Integer> {
  private final Shell shell;

  @Option(names = "--num-classes", paramLabel = "N", required = true, description = "classes")
  private int numClasses;

  @Option(names = "--dim", paramLabel = "N", required = true, description = "floats a row")
  private int dim;

  @Option(names = "--samples", paramLabel = "N", description = "default ${DEFAULT-VALUE}")
  private int samples = 20_000;

  @Option(
      names = "--recall",
      paramLabel = "SHARE",
      split = ",",
      description = "what an index has to find; default 0.99,0.95")
  private List<Double> recalls = List.of(0.99, 0.95);

  @Option(names = "--threads", paramLabel = "N", description = "default all cores")
  private int threads = Runtime.getRuntime().availableProcessors();

  @ArgGroup(validate = false, heading = "%nEverywhere%n")
  final Everywhere everywhere = new Everywhere();

  EvaluateCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() {
    Check.positive("num-classes", numClasses);
    Check.positive("dim", dim);
    Check.positive("samples", samples);
    Check.positive("threads", threads);
    recalls.forEach(Recall::requireShare);
    try (var bench = new EvaluateBench(numClasses, dim, samples, threads)) {
      shell.print(ResultFile.text(bench.run(recalls)));
    }
    return Shell.DONE;
  }
}
