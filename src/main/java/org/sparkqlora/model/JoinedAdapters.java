package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * The adapters of modules that have one and the same input and change it in no way of their own. The products with that input are one
 * for all of them, which read it once.
 *
 * @param modules each with an adapter
 * @param downs A of each, one below the other, (sum of ranks, inputs)
 */
record JoinedAdapters(List<LinearPass> modules, Tensor downs) implements SharedInput {
    /** Null where a module has no adapter, or one with dropout or weight decomposition. */
    static @Nullable JoinedAdapters of(List<LinearPass> modules) {
        TensorVector downs = new TensorVector();
        for (LinearPass module : modules) {
            BoundAdapter adapter = module.adapter();
            if (adapter == null || adapter.dropout() != null || adapter.direction() != null) {
                return null;
            }

            downs.push_back(adapter.down());
        }

        return new JoinedAdapters(modules, torch.cat(downs, 0));
    }

    @Override
    public Recorded apply(Tensor input) {
        List<Tensor> lows = parts(torch.linear(input, downs), 1);
        List<Tensor> outputs = new ArrayList<>();
        List<LinearPass.Tape> tapes = new ArrayList<>();
        for (int i = 0; i < modules.size(); i++) {
            LinearPass.Adapted adapted = new LinearPass.Adapted(null, input, lows.get(i), null);
            outputs.add(modules.get(i).applyAdapted(input, adapted));
            tapes.add(new LinearPass.Tape(input, adapted));
        }

        return new Recorded(outputs, tapes);
    }

    @Override
    public Tensor backward(List<Tensor> outputGradients, List<LinearPass.Tape> tapes, GradientSum gradients) {
        TensorVector dLows = new TensorVector();
        for (int i = 0; i < modules.size(); i++) {
            dLows.push_back(modules.get(i).backwardToLow(outputGradients.get(i), tapes.get(i), gradients));
        }

        Tensor dLow = torch.cat(dLows, 1);
        addDownGradients(torch.mm(dLow.t(), tapes.get(0).input()), gradients);
        Tensor dInput = torch.mm(outputGradients.get(0), modules.get(0).weight());
        for (int i = 1; i < modules.size(); i++) {
            dInput.addmm_(outputGradients.get(i), modules.get(i).weight());
        }

        return dInput.addmm_(dLow, downs);
    }

    private void addDownGradients(Tensor dDowns, GradientSum gradients) {
        List<Tensor> parts = parts(dDowns, 0);
        for (int i = 0; i < modules.size(); i++) {
            AdapterPlace adapter = modules.get(i).place().adapter();
            if (adapter != null) {
                gradients.add(adapter.down(), parts.get(i));
            }
        }
    }

    /** Cuts what has the ranks of all modules along {@code dimension}. */
    private List<Tensor> parts(Tensor whole, long dimension) {
        List<Tensor> parts = new ArrayList<>();
        long from = 0;
        for (LinearPass module : modules) {
            long rank = module.adapter() == null ? 0 : module.adapter().down().size(0);
            parts.add(whole.narrow(dimension, from, rank));
            from += rank;
        }

        return parts;
    }
}
