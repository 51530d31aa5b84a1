// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.util.Map;
import megaclass.head.HeadProblem;
import megaclass.head.HeadProvider;
import megaclass.head.HeadSettings;
import megaclass.head.TrainingHead;

/** Backend "host-cuda": the engine of backend "cuda" on the device that tests have. */
public final class HostCudaProvider implements HeadProvider {
  static final String NAME = "host-cuda";

  private final CudaProvider engine = new CudaProvider(HostCuda::open, HostCuda::nccl);

  /** For the service loader. */
  public HostCudaProvider() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Device device(int number) {
    return engine.device(number);
  }

  @Override
  public Map<String, Long> deviceBytes(HeadSettings settings) {
    return engine.deviceBytes(settings);
  }

  @Override
  public TrainingHead open(HeadProblem problem) {
    return engine.open(problem);
  }
}
