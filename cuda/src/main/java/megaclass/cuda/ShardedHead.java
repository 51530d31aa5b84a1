// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import megaclass.backbone.Embeddings;
import megaclass.head.HeadProblem;
import megaclass.head.TrainingHead;
import megaclass.select.ActiveClasses;
import org.jspecify.annotations.Nullable;

/**
 * The head on several devices of this machine: each of them is a {@link CudaHead} over a range of
 * the classes, on a thread of its own, and every one does every step. Embeddings and targets go up
 * to all of them; what they tell each other is in {@link DeviceShard}. The first one speaks for
 * all.
 */
final class ShardedHead implements TrainingHead {
  private final DeviceCrew crew;
  private final List<CudaHead> heads;

  private ShardedHead(DeviceCrew crew, List<CudaHead> heads) {
    this.crew = crew;
    this.heads = heads;
  }

  /**
   * Opens the devices and allocates.
   *
   * @param opener opens a device by its number
   * @param nccl finds NCCL
   * @param tileBytes memory of a tile on each device, about
   * @throws IllegalArgumentException when the devices cannot share these classes, as {@link
   *     DeviceShard#require} says
   * @throws DeviceMemoryException when a device has no room for its part
   */
  static ShardedHead open(
      IntFunction<Device> opener,
      Supplier<NativeFunctions> nccl,
      HeadProblem problem,
      long tileBytes) {
    var settings = problem.settings();
    DeviceShard.require(settings);
    int count = settings.deviceCount();
    int numClasses = settings.numClasses();
    var functions = nccl.get();
    int first = settings.deviceNumber();
    var crew = new DeviceCrew(count);
    var opened = new @Nullable Device[count];
    try {
      crew.onEach(i -> opened[i] = opener.apply(first + i));
      List<Nccl> connections = Nccl.connect(functions, first, count);
      crew.whenOneFails(() -> connections.forEach(Nccl::abort));
      var heads =
          crew.onEach(
              i ->
                  new CudaHead(
                      opened[i],
                      problem,
                      tileBytes,
                      DeviceShard.of(opened[i], numClasses, connections.get(i))));
      return new ShardedHead(crew, heads);
    } catch (RuntimeException e) {
      crew.onEach(i -> close(opened[i]));
      crew.close();
      throw e;
    }
  }

  private static boolean close(@Nullable Device device) {
    if (device != null) {
      device.close();
    }
    return device != null;
  }

  private void onEach(Consumer<CudaHead> task) {
    crew.onEach(
        i -> {
          task.accept(heads.get(i));
          return i;
        });
  }

  private CudaHead first() {
    return heads.getFirst();
  }

  @Override
  public String description() {
    return heads.size() + " x " + crew.onFirst(first()::description);
  }

  @Override
  public void begin() {
    onEach(CudaHead::begin);
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    onEach(head -> head.restore(sections));
  }

  @Override
  public void skipStep(double learningRate) {
    onEach(head -> head.skipStep(learningRate));
  }

  @Override
  public void beginStep(double learningRate) {
    onEach(head -> head.beginStep(learningRate));
  }

  @Override
  public void select(Embeddings embeddings, int[] targets, long step) {
    onEach(head -> head.select(embeddings, targets, step));
  }

  @Override
  public double forward(Embeddings embeddings) {
    return crew.onEach(i -> heads.get(i).forward(embeddings)).getFirst();
  }

  @Override
  public double exampleLoss(int i) {
    return crew.onFirst(() -> first().exampleLoss(i));
  }

  @Override
  public void backward(Embeddings embeddings) {
    onEach(head -> head.backward(embeddings));
  }

  @Override
  public void endStep(long step) {
    onEach(head -> head.endStep(step));
  }

  @Override
  public int numActive() {
    return first().numActive();
  }

  @Override
  public int weightRows() {
    return first().weightRows();
  }

  @Override
  public ActiveClasses active() {
    return crew.onFirst(first()::active);
  }

  @Override
  public long age(long step) {
    return first().age(step);
  }

  @Override
  public double drift() {
    return first().drift();
  }

  @Override
  public void catchUpAll() {
    onEach(CudaHead::catchUpAll);
  }

  @Override
  public void synchronise() {
    onEach(CudaHead::synchronise);
  }

  @Override
  public Map<String, MemorySegment> state() {
    return DeviceIvf.together(crew.onEach(i -> heads.get(i).state()));
  }

  @Override
  public void close() {
    try {
      onEach(CudaHead::close);
    } finally {
      crew.close();
    }
  }
}
