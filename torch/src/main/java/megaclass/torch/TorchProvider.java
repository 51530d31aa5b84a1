// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import megaclass.backbone.Backbone;
import megaclass.backbone.BackboneSpec;
import megaclass.backbone.NetworkProvider;
import megaclass.backbone.NetworkTraining;
import megaclass.data.ImageShape;
import megaclass.internal.Hash;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Networks of layers with LibTorch. */
public final class TorchProvider implements NetworkProvider {
  /** LibTorch itself, its threads and what its kernels keep: about. */
  private static final long LIBRARY_BYTES = 300L << 20;

  private static final long INITIAL = 1;

  /** For the service loader. */
  public TorchProvider() {}

  @Override
  public Map<String, Long> bytes(Problem problem) {
    TorchLibrary.load(problem.threads());
    var terms = new LinkedHashMap<String, Long>();
    try (var network = open(problem.spec(), problem)) {
      if (network == null) {
        return Map.of();
      }
      long parameters = 0;
      for (var named : network.parameters().trained()) {
        parameters += named.tensor().nbytes();
      }
      NetworkTraining training = problem.training();
      int copies = training == null ? 1 : 2 + DenseOptimizer.slots(training.optimizer());
      terms.put("network, gradients and optimizer", copies * parameters);
      terms.put("its activations", problem.batchSize() * activations(problem, network));
      terms.put("LibTorch", LIBRARY_BYTES);
    }
    return terms;
  }

  /** Bytes that a step keeps of an image between forward and backward, about. */
  private static long activations(Problem problem, Network network) {
    ImageShape shape = problem.images();
    try (var _ = new NoGradGuard();
        Tensor image = torch.zeros(1, shape.channels(), shape.height(), shape.width())) {
      return network.activationBytes(image);
    }
  }

  @Override
  public Backbone open(Problem problem) {
    TorchLibrary.load(problem.threads());
    var backbone = new TorchBackbone(problem, open(problem.spec(), problem));
    try {
      backbone.requireFits();
      return backbone;
    } catch (RuntimeException e) {
      backbone.close();
      throw e;
    }
  }

  /** Null for a module that comes with a model. */
  private static @Nullable Network open(BackboneSpec.Network spec, Problem problem) {
    return switch (spec) {
      case BackboneSpec.TorchScript(String file) ->
          problem.training() == null ? null : ScriptNetwork.open(Path.of(file));
      case BackboneSpec.SmallNet small ->
          layered(
              problem,
              8,
              layers -> SmallNets.small(small, problem.images(), problem.dim(), layers));
      case BackboneSpec.Hynet hynet ->
          layered(
              problem,
              16,
              layers -> SmallNets.hynet(hynet, problem.images(), problem.dim(), layers));
      case BackboneSpec.ResNet resNet ->
          layered(
              problem,
              32,
              layers -> new ResNets(layers).photo(resNet, problem.images(), problem.dim()));
      case BackboneSpec.FaceResNet face ->
          layered(
              problem,
              16,
              layers -> new ResNets(layers).face(face, problem.images(), problem.dim()));
    };
  }

  private interface Layout {
    Layers.Layer of(Layers layers);
  }

  private static Network layered(Problem problem, int smallest, Layout layout) {
    ImageShape images = problem.images();
    if (Math.min(images.height(), images.width()) < smallest) {
      throw new IllegalArgumentException(
          "backbone %s takes images of at least %d x %d pixels, but these are %s"
              .formatted(problem.spec(), smallest, smallest, images));
    }
    var parameters = new Parameters(Hash.key(problem.seed(), INITIAL));
    var layers = new Layers(parameters);
    return new LayeredNetwork(parameters, layers, layout.of(layers));
  }
}
