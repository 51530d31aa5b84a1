// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import megaclass.backbone.BackboneSpec;
import megaclass.backbone.BackboneSpec.Bag;
import megaclass.cli.text.Quantity;
import megaclass.compute.RowFormat;
import megaclass.data.ImageShape;
import megaclass.head.HeadEngines;
import megaclass.optim.OptimizerSpec;
import megaclass.optim.OptimizerSpec.Sgd;
import megaclass.train.MemoryPlan;
import megaclass.train.TrainConfig;
import org.jspecify.annotations.Nullable;

/** Whether a run fits into memory and its device, and what would fit if it does not. */
public final class Memory {
  private static final int SMALLEST_DIM = 16;
  private static final int FEWEST_BUCKETS = 1 << 14;

  private Memory() {}

  /**
   * What a run learns from, as far as its memory goes.
   *
   * @param numClasses classes
   * @param images what a network takes; null without images
   */
  public record Data(int numClasses, @Nullable ImageShape images) {
    private long residentBytes(TrainConfig config) {
      return MemoryPlan.of(config, numClasses, 0, images).residentBytes();
    }
  }

  /** Bytes that a new process can take without pushing others out, as the system sees it. */
  public static long available() {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long free = availableOnLinux().orElse(system.getFreeMemorySize());
    return Math.min(free, system.getTotalMemorySize()); // the latter knows of containers
  }

  private static Optional<Long> availableOnLinux() {
    var file = Path.of("/proc/meminfo");
    if (!Files.isReadable(file)) {
      return Optional.empty();
    }
    try (var lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith("MemAvailable:"))
          .map(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
          .findFirst();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  /**
   * Refuses a run that does not fit.
   *
   * @param limit bytes it may take
   * @throws IllegalArgumentException that names the nearest settings that do; or when its device is
   *     not there or too small
   */
  public static void require(TrainConfig config, Data data, long limit) {
    HeadEngines.requireFits(config.backend(), config.headSettings(data.numClasses()));
    long needed = data.residentBytes(config);
    if (needed <= limit) {
      return;
    }
    String fitting =
        smaller(config, data, limit).stream()
            .filter(c -> data.residentBytes(c) <= limit)
            .findFirst()
            .map(c -> "; this fits: " + difference(config, c, data))
            .orElse(
                "; neither class weights on disk nor a smaller dim, table or optimizer state makes"
                    + " it fit");
    throw new IllegalArgumentException(
        "the run needs %s of memory, but %s are available%s. --memory sets the limit"
            .formatted(Quantity.bytes(needed), Quantity.bytes(limit), fitting));
  }

  /** Settings that need less, those that change least first. */
  private static List<TrainConfig> smaller(TrainConfig config, Data data, long limit) {
    var all = new ArrayList<TrainConfig>();
    all.add(onDisk(config, data, limit));
    var half = config.withDtype(RowFormat.BF16);
    for (var stateless : List.of(config, half, withoutVelocity(config), withoutVelocity(half))) {
      for (int dim = config.dim(); dim >= SMALLEST_DIM; dim = nextDim(config, dim)) {
        for (int buckets = buckets(config); buckets >= FEWEST_BUCKETS; buckets /= 2) {
          all.add(withBuckets(stateless.withDim(dim), buckets));
        }
      }
    }
    all.sort(Comparator.comparingInt(c -> changes(config, c)));
    return all;
  }

  /** With what is left of the memory for class weights in use, unless that is next to nothing. */
  private static TrainConfig onDisk(TrainConfig config, Data data, long limit) {
    if (!HeadEngines.isOnHost(config.backend())) {
      return config; // a device has a copy of them in memory
    }
    var least = config.withWeightsMemory(1);
    long others = data.residentBytes(least);
    long left = (limit - others) / 100 * 99; // the cache has tables, too
    long whole = data.residentBytes(config);
    return left < whole / 20 ? config : config.withWeightsMemory(left >> 20 << 20);
  }

  /** How far settings are from those wanted: losing momentum counts as halving once. */
  private static int changes(TrainConfig wanted, TrainConfig other) {
    return 2 * log2((double) wanted.dim() / other.dim())
        + log2((double) buckets(wanted) / buckets(other))
        + (wanted.dtype() == other.dtype() ? 0 : 1)
        + (wanted.weightsMemory() == other.weightsMemory() ? 0 : 2)
        + (wanted.optimizer().equals(other.optimizer()) ? 0 : 2);
  }

  private static int log2(double ratio) {
    return (int) Math.round(Math.log(ratio) / Math.log(2));
  }

  /** Half the dim; nothing smaller where the features decide it. */
  private static int nextDim(TrainConfig config, int dim) {
    return config.backbone() instanceof Bag ? dim / 2 : 0;
  }

  private static int buckets(TrainConfig config) {
    return switch (config.backbone()) {
      case Bag bag -> bag.buckets();
      case BackboneSpec.Frozen _, BackboneSpec.Network _ -> FEWEST_BUCKETS;
    };
  }

  private static TrainConfig withBuckets(TrainConfig config, int buckets) {
    return switch (config.backbone()) {
      case Bag(var chars, int words, int _, double dropout) ->
          config.withBackbone(new Bag(chars, words, buckets, dropout));
      case BackboneSpec.Frozen _, BackboneSpec.Network _ -> config;
    };
  }

  private static TrainConfig withoutVelocity(TrainConfig config) {
    return switch (config.optimizer()) {
      case Sgd(double _, boolean _, double decay, var lazyDecay) ->
          config.withOptimizer(new Sgd(0, false, decay, lazyDecay));
      case OptimizerSpec.AdaGrad _ -> config;
    };
  }

  private static String difference(TrainConfig config, TrainConfig fitting, Data data) {
    var flags = new ArrayList<String>();
    if (fitting.dim() != config.dim()) {
      flags.add("--dim " + fitting.dim());
    }
    if (fitting.weightsMemory() != config.weightsMemory()) {
      flags.add("--weights-memory " + Quantity.bytesText(fitting.weightsMemory()));
    }
    if (fitting.dtype() != config.dtype()) {
      flags.add("--dtype " + fitting.dtype());
    }
    if (!fitting.backbone().equals(config.backbone())) {
      flags.add("--backbone \"" + fitting.backbone() + "\"");
    }
    if (!fitting.optimizer().equals(config.optimizer())) {
      flags.add("--optimizer \"" + fitting.optimizer() + "\"");
    }
    long bytes = data.residentBytes(fitting);
    return flags.stream().collect(Collectors.joining(" ")) + " (" + Quantity.bytes(bytes) + ")";
  }
}
