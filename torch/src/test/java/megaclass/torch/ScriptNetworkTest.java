// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import megaclass.backbone.BackboneSpec;
import megaclass.backbone.NetworkProvider.Problem;
import megaclass.backbone.NetworkTraining;
import megaclass.data.ImageShape;
import megaclass.torch.Parameters.Named;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScriptNetworkTest {
  private static final int DIM = 4;

  @TempDir Path folder;

  @BeforeAll
  static void load() {
    TorchLibrary.load(2);
  }

  /** One product from pixels to embeddings, with a frozen scale, as PyTorch would save it. */
  static Path module(Path folder) {
    try (var module = new JitModule(new QualifiedName("Encoder"))) {
      Tensor weight = torch.randn(DIM, 28 * 28);
      weight.set_requires_grad(true);
      Tensor bias = torch.zeros(DIM);
      bias.set_requires_grad(true);
      module.register_parameter(
          "weight", weight.mul(scalar(0.05)).detach().set_requires_grad(true), false);
      module.register_parameter("bias", bias, false);
      module.register_parameter("frozen", torch.ones(1), false);
      module.register_buffer("scale", torch.ones(1));
      module.define(
          """
          def forward(self, x):
              y = torch.flatten(x, 1) @ self.weight.t() + self.bias
              return y * self.scale * self.frozen
          """);
      Path file = folder.resolve("encoder.pt");
      module.save(file.toString());
      return file;
    }
  }

  private static org.bytedeco.pytorch.Scalar scalar(double value) {
    return new org.bytedeco.pytorch.Scalar(value);
  }

  private static Problem problem(Path file, int dim, ImageShape images) {
    return new Problem(
        new BackboneSpec.TorchScript(file.toString()),
        dim,
        images,
        8,
        NetworkTraining.defaults(),
        1,
        2);
  }

  @Test
  void parametersThatAreNotFrozenAreTrained() {
    try (var network = ScriptNetwork.open(module(folder))) {
      assertEquals(List.of("weight", "bias"), names(network.parameters().trained()));
      assertEquals(List.of("weight", "bias", "frozen", "scale"), names(network.parameters().all()));
      assertTrue(network.parameters().trained().getFirst().decays());
      assertTrue(!network.parameters().trained().getLast().decays());
    }
  }

  private static List<String> names(List<Named> tensors) {
    return tensors.stream().map(Named::name).toList();
  }

  @Test
  void aModuleThatDoesNotFitIsRefused() {
    Path file = module(folder);
    var provider = new TorchProvider();
    var dim =
        assertThrows(
            IllegalArgumentException.class,
            () -> provider.open(problem(file, 7, DrawnImages.SHAPE)));
    assertTrue(String.valueOf(dim.getMessage()).contains("gives [1, 4]"), () -> dim.getMessage());
    var images =
        assertThrows(
            IllegalArgumentException.class,
            () -> provider.open(problem(file, DIM, new ImageShape(3, 28, 28))));
    assertTrue(
        String.valueOf(images.getMessage()).contains("does not take images of 3x28x28"),
        () -> images.getMessage());
  }

  @Test
  void whatIsNoModuleIsNamed() throws Exception {
    Path file = Files.writeString(folder.resolve("notes.pt"), "no module");
    var provider = new TorchProvider();
    var failure =
        assertThrows(
            UncheckedIOException.class, () -> provider.open(problem(file, DIM, DrawnImages.SHAPE)));
    assertTrue(
        String.valueOf(failure.getMessage()).contains("notes.pt: is no TorchScript module"),
        () -> failure.getMessage());
    assertThrows(
        UncheckedIOException.class,
        () -> provider.open(problem(folder.resolve("none.pt"), DIM, DrawnImages.SHAPE)));
  }
}
