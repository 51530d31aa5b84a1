// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import megaclass.compute.ComputeBackend;
import megaclass.compute.RowMatrix;
import megaclass.head.HeadProblem;
import megaclass.head.HeadProvider;
import megaclass.head.HeadSettings;
import megaclass.head.TrainingHead;
import megaclass.optim.SparseOptimizer;

/** Backend "cuda": heads on an NVIDIA GPU. */
public final class CudaProvider implements HeadProvider {
  /** Memory of a tile: enough to keep a large device busy, little beside it. */
  private static final long TILE_BYTES = 1L << 30;

  /** The context, compiled kernels and cuBLAS: about what they take, not yet measured. */
  private static final long CUDA_BYTES = 600L << 20;

  /** Buffers of NCCL: about what it takes for a few devices, not yet measured. */
  private static final long NCCL_BYTES = 300L << 20;

  private final IntFunction<megaclass.cuda.Device> opener;
  private final Supplier<NativeFunctions> nccl;

  /** For the service loader. */
  public CudaProvider() {
    this(
        number -> megaclass.cuda.Device.open(CudaLibraries.find(), number),
        CudaLibraries::findNccl);
  }

  /** With devices of another kind. */
  CudaProvider(IntFunction<megaclass.cuda.Device> opener, Supplier<NativeFunctions> nccl) {
    this.opener = opener;
    this.nccl = nccl;
  }

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Device device(int number) {
    try (var device = opener.apply(number)) {
      return new Device(device.description(), device.freeBytes());
    } catch (CudaException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  @Override
  public Map<String, Long> deviceBytes(HeadSettings settings) {
    int width = settings.width();
    int stride = ComputeBackend.padded(width);
    DeviceShard.require(settings);
    int count = settings.deviceCount();
    long numRows = HostRows.numSlots(settings);
    long weights = RowMatrix.State.NONE.bytesPerRow(width, settings.dtype());
    long all = SparseOptimizer.stateFor(settings.optimizer()).bytesPerRow(width, settings.dtype());
    var terms = new LinkedHashMap<String, Long>();
    terms.put("class weights", numRows * weights);
    terms.put("their optimizer state", numRows * (all - weights));
    terms.put(
        "slots and copies of class weights",
        HostRows.sizeInBytes(settings, TILE_BYTES / CudaHead.COPIES_OF_TILE));
    terms.put("choice of classes", DeviceChoices.sizeInBytes(settings));
    terms.put(
        "batch and tiles",
        DeviceBatch.sizeInBytes(settings.batchSize(), stride)
            + SoftmaxKernels.sizeInBytes(settings.batchSize())
            + HeadTile.Shape.of(settings, TILE_BYTES).sizeInBytes());
    terms.put("exchange", DeviceShard.sizeInBytes(settings) + (count > 1 ? NCCL_BYTES : 0));
    terms.put("CUDA and cuBLAS", CUDA_BYTES);
    terms.values().removeIf(bytes -> bytes == 0);
    return terms;
  }

  @Override
  public TrainingHead open(HeadProblem problem) {
    if (problem.settings().deviceCount() > 1) {
      return ShardedHead.open(opener, nccl, problem, TILE_BYTES);
    }
    var device = opener.apply(problem.settings().deviceNumber());
    try {
      return new CudaHead(device, problem, TILE_BYTES);
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
  }
}
