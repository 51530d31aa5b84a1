// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import megaclass.bench.KernelBench.Effort;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code megaclass bench kernels}: the kernels in this JVM. */
@Command(
    name = "kernels",
    header =
        "measures the kernels and the peaks of the machine in this JVM and prints them as JSON",
    synopsisHeading = "%n  ",
    customSynopsis = "megaclass bench kernels [flags]",
    optionListHeading = "%nHow%n",
    sortOptions = false,
    footer = {
      "",
      "Examples",
      "  megaclass bench kernels --dim 128",
      "  megaclass bench kernels --quick --threads 1"
    })
final class KernelCommand implements Callable<Integer> {
  private final Shell shell;

  @Option(names = "--dim", paramLabel = "N", split = ",", description = "default 128,512")
  private List<Integer> dims = List.of(128, 512);

  @Option(names = "--threads", paramLabel = "N", description = "beside 1; default all cores")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "auto, vector or scalar; default auto")
  private String backend = "auto";

  @Option(names = "--quick", description = "shorter, and from memory that the caches hold")
  private boolean quick;

  @ArgGroup(validate = false, heading = "%nEverywhere%n")
  final Everywhere everywhere = new Everywhere();

  KernelCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() {
    var runs = new ArrayList<KernelRun>();
    for (int dim : dims) {
      runs.addAll(KernelBench.run(dim, threads, backend, quick ? Effort.QUICK : Effort.FULL));
    }
    shell.print(ResultFile.text(runs));
    return Shell.DONE;
  }

  /** The flags that make a child do the same. */
  static List<String> words(List<Integer> dims, int threads, String backend, boolean quick) {
    var words = new ArrayList<>(List.of("kernels", "--threads=" + threads, "--backend=" + backend));
    dims.forEach(dim -> words.add("--dim=" + dim));
    if (quick) {
      words.add("--quick");
    }
    return words;
  }
}
