// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import megaclass.head.HeadProblem;
import megaclass.head.HeadSettings;
import megaclass.index.Rotation;
import megaclass.select.ClassSelector;
import megaclass.select.SelectorSpec;

/** The ways to choose classes that there are on a device. */
final class DeviceChoices {
  private DeviceChoices() {}

  /**
   * Makes the choice of a run.
   *
   * @param rows the class weights on the device, lent
   * @param shard the classes that they belong to, lent
   */
  static DeviceChoice of(Device device, HeadProblem problem, DeviceRows rows, DeviceShard shard) {
    int numClasses = problem.settings().numClasses();
    return switch (problem.settings().selector()) {
      case SelectorSpec.All _ -> new AllChoice(numClasses);
      case SelectorSpec.Uniform uniform ->
          new UniformChoice(uniform, numClasses, problem.seed(), selection(device, numClasses));
      case SelectorSpec.Ivf ivf when ivf.coverage() == 1 ->
          ivf(device, problem, rows, shard, ivf, 0);
      case SelectorSpec.WithTail(SelectorSpec.Ivf ivf, double share) when ivf.coverage() == 1 ->
          ivf(device, problem, rows, shard, ivf, share);
      case SelectorSpec.WithGroups groups -> grouped(device, problem, rows, shard, groups);
      default -> throw unknown(problem.settings().selector());
    };
  }

  private static DeviceChoice grouped(
      Device device,
      HeadProblem problem,
      DeviceRows rows,
      DeviceShard shard,
      SelectorSpec.WithGroups spec) {
    var settings = ofGroup(problem.settings(), spec);
    var engine = problem.engine();
    var ofGroup = new HeadProblem(settings, problem.weights(), problem.seed(), engine);
    DeviceChoice base = of(device, ofGroup, rows, shard);
    return spec.numGroups() == 1
        ? base
        : new GroupedChoice(
            device,
            base,
            spec.numGroups(),
            engine.backend(),
            selection(device, settings.numClasses()));
  }

  /** The settings by which the largest group chooses. */
  private static HeadSettings ofGroup(HeadSettings whole, SelectorSpec.WithGroups spec) {
    return new HeadSettings(
        whole.numClasses(),
        whole.dim(),
        whole.dtype(),
        whole.deviceMemory(),
        whole.loss(),
        spec.base(),
        whole.optimizer(),
        Math.ceilDiv(whole.batchSize(), spec.numGroups()),
        whole.precision(),
        whole.deviceNumber(),
        whole.deviceCount());
  }

  private static DeviceSelection selection(Device device, int numClasses) {
    return new DeviceSelection(device, numClasses, new DeviceSort(device));
  }

  private static DeviceChoice ivf(
      Device device,
      HeadProblem problem,
      DeviceRows rows,
      DeviceShard shard,
      SelectorSpec.Ivf spec,
      double tail) {
    var settings = problem.settings();
    int numClasses = settings.numClasses();
    boolean normalised = settings.loss().normalised();
    var index =
        new DeviceIvf(
            device,
            new DeviceIndexedRows(rows, normalised),
            ClassSelector.indexSettings(spec, numClasses, settings.batchSize()),
            problem.seed(),
            new Rotation(
                rows.width(), DeviceIvf.rotationSeed(problem.seed()), problem.engine().backend()),
            new DeviceSort(device),
            shard);
    long numActive = ClassSelector.mostActive(spec, numClasses, 1);
    var choice =
        new IvfChoice.Settings(
            numClasses,
            Math.toIntExact(numActive),
            tail,
            normalised ? settings.loss().scale() : 1,
            problem.seed());
    return new IvfChoice(device, choice, index, selection(device, numClasses));
  }

  /**
   * Bytes on the device, for the memory forecast.
   *
   * @throws IllegalArgumentException when there is no such choice on a device
   */
  static long sizeInBytes(HeadSettings settings) {
    return switch (settings.selector()) {
      case SelectorSpec.All _ -> 0;
      case SelectorSpec.Uniform _ -> DeviceSelection.sizeInBytes(settings, 0);
      case SelectorSpec.Ivf ivf when ivf.coverage() == 1 -> sizeInBytes(settings, ivf);
      case SelectorSpec.WithTail(SelectorSpec.Ivf ivf, double _) when ivf.coverage() == 1 ->
          sizeInBytes(settings, ivf);
      case SelectorSpec.WithGroups groups -> {
        var ofGroup = ofGroup(settings, groups);
        long more = groups.numGroups() == 1 ? 0 : GroupedChoice.sizeInBytes(settings, ofGroup);
        yield sizeInBytes(ofGroup) + more;
      }
      default -> throw unknown(settings.selector());
    };
  }

  private static long sizeInBytes(HeadSettings settings, SelectorSpec.Ivf spec) {
    int numClasses = settings.numClasses();
    var index = ClassSelector.indexSettings(spec, numClasses, settings.batchSize());
    long numProposed = (long) settings.batchSize() * index.numCandidates();
    int count = settings.deviceCount();
    int ownClasses = DeviceShard.mostClasses(numClasses, count);
    return DeviceIvf.sizeInBytes(ownClasses, settings.width(), index.numLists())
        + ShardedIndex.sizeInBytes(count, numProposed)
        + DeviceIvf.FOUND_BYTES
        + DeviceSelection.sizeInBytes(settings, numProposed);
  }

  private static IllegalArgumentException unknown(SelectorSpec spec) {
    return new IllegalArgumentException(
        "backend \"cuda\" chooses classes by all, uniform, ivf and ivf + tail (without coverage), all but the first also in groups, but the selector is %s; take one of these, or backend auto"
            .formatted(spec));
  }
}
