// SPDX-License-Identifier: Apache-2.0
package megaclass.bench.peers;

import static org.bytedeco.pytorch.global.torch.cross_entropy;
import static org.bytedeco.pytorch.global.torch.index_select;
import static org.bytedeco.pytorch.global.torch.manual_seed;
import static org.bytedeco.pytorch.global.torch.mm;
import static org.bytedeco.pytorch.global.torch.rand;
import static org.bytedeco.pytorch.global.torch.randint;
import static org.bytedeco.pytorch.global.torch.randn;
import static org.bytedeco.pytorch.global.torch.searchsorted;
import static org.bytedeco.pytorch.global.torch.set_num_threads;
import static org.bytedeco.pytorch.global.torch.zeros;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Steps of a classifier's last layer in PyTorch: the arithmetic of its users' heads, by the same
 * LibTorch kernels. Prints one line of JSON.
 *
 * <p>{@code exact} multiplies with all classes; {@code partial} is Partial FC (An et al. 2022): the
 * targets and a random share, gathered with their momentum, stepped, and scattered back; {@code
 * sparse} is the same with the step written on the gathered rows. All have cosine logits with an
 * additive margin (CosFace, scale 64, margin 0.4) or, for {@code plain}, inner products with all
 * classes, and SGD with momentum 0.9.
 */
public final class TorchPeer {
  private static final double SCALE = 64;
  private static final double MARGIN = 0.4;
  private static final double RATE = 0.1;
  private static final double MOMENTUM = 0.9;

  private final long numClasses;
  private final long dim;
  private final long batch;
  private final Tensor weights;
  private final Tensor velocities;

  private TorchPeer(long numClasses, long dim, long batch) {
    this.numClasses = numClasses;
    this.dim = dim;
    this.batch = batch;
    weights = randn(numClasses, dim).mul_(new Scalar(0.01));
    velocities = zeros(numClasses, dim);
  }

  /** Takes: what, classes, dim, batch, share of the classes, threads, seconds. */
  public static void main(String[] args) throws Exception {
    String what = args[0];
    int threads = Integer.parseInt(args[5]);
    set_num_threads(threads);
    openblas.blas_set_num_threads(threads);
    manual_seed(1);
    long batch = Long.parseLong(args[3]);
    var peer = new TorchPeer(Long.parseLong(args[1]), Long.parseLong(args[2]), batch);
    double share = Double.parseDouble(args[4]);
    double seconds = Double.parseDouble(args[6]);
    peer.step(what, share); // the first ones load code
    peer.step(what, share);
    long begin = System.nanoTime();
    long steps = 0;
    double spent = 0;
    double loss = 0;
    while (spent < seconds || steps < 3) {
      loss = peer.step(what, share);
      steps++;
      spent = (System.nanoTime() - begin) * 1e-9;
    }
    System.out.printf(
        Locale.ROOT,
        "{\"peer\":\"pytorch"
            + " 2.10.0\",\"what\":\"%s\",\"numClasses\":%s,\"dim\":%s,\"batchSize\":%s,"
            + "\"share\":%s,\"threads\":%d,\"samplesPerSecond\":%.1f,\"steps\":%d,\"seconds\":%.2f,"
            + "\"loss\":%.4f,\"peakRssMiB\":%d,\"date\":\"%s\"}%n",
        what,
        args[1],
        args[2],
        args[3],
        share,
        threads,
        steps * batch / spent,
        steps,
        spent,
        loss,
        peakRss(),
        Instant.now().toString().substring(0, 19) + "Z");
  }

  private static long peakRss() throws Exception {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmHWM"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) >> 10)
        .findFirst()
        .orElse(0);
  }

  private double step(String what, double share) {
    try (var scope = new PointerScope()) {
      Tensor features = randn(batch, dim);
      Tensor labels = randint(0, numClasses, new long[] {batch});
      features.set_requires_grad(true);
      return switch (what) {
        case "plain" -> all(features, labels, false);
        case "exact" -> all(features, labels, true);
        case "partial" -> partial(features, labels, share, false);
        case "sparse" -> partial(features, labels, share, true);
        default -> throw new IllegalArgumentException("plain, exact, partial or sparse: " + what);
      };
    }
  }

  private double all(Tensor features, Tensor labels, boolean cosines) {
    weights.set_requires_grad(true);
    Tensor loss =
        cosines
            ? cosFace(features, weights, labels)
            : cross_entropy(mm(features, weights.t()), labels);
    loss.backward();
    try (var off = new NoGradGuard()) {
      Tensor gradient = weights.grad();
      velocities.mul_(new Scalar(MOMENTUM)).add_(gradient);
      weights.sub_(velocities, new Scalar(RATE));
      gradient.zero_();
    }
    return loss.item_double();
  }

  private double partial(Tensor features, Tensor labels, double share, boolean manual) {
    Tensor index = sample(labels, share);
    Tensor active = index_select(weights, 0, index).detach();
    active.set_requires_grad(true);
    Tensor loss = cosFace(features, active, searchsorted(index, labels));
    loss.backward();
    try (var off = new NoGradGuard()) {
      Tensor velocity =
          index_select(velocities, 0, index).mul_(new Scalar(MOMENTUM)).add_(active.grad());
      velocities.index_copy_(0, index, velocity);
      if (manual) {
        weights.index_add_(0, index, velocity, new Scalar(-RATE));
      } else {
        weights.index_copy_(0, index, active.detach().sub_(velocity, new Scalar(RATE)));
      }
    }
    return loss.item_double();
  }

  /** As Partial FC does it: random numbers, 2 for targets, the largest, sorted. */
  private Tensor sample(Tensor labels, double share) {
    Tensor perm = rand(numClasses);
    perm.index_fill_(0, labels, new Scalar(2.0));
    return perm.topk(Math.max(batch, Math.round(share * numClasses))).get1().sort().get0();
  }

  private static Tensor cosFace(Tensor features, Tensor rows, Tensor labels) {
    Tensor cosines = mm(unit(features), unit(rows).t());
    Tensor margins = cosines.detach().zero_();
    Tensor columns = labels.view(-1, 1);
    margins.scatter_(1, columns, new Scalar(MARGIN));
    return cross_entropy(cosines.sub(margins).mul(new Scalar(SCALE)), labels);
  }

  private static Tensor unit(Tensor rows) {
    Tensor norms = rows.mul(rows).sum(1).sqrt().clamp_min(new Scalar(1e-12));
    return rows.div(norms.view(-1, 1));
  }
}
