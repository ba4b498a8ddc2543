package org.sparkqlora.checkpoint;

import org.sparkqlora.model.layout.LoraSpec;

/**
 * The content of {@code adapter_config.json}.
 *
 * @param lora shape and scale of the adapters
 * @param baseModel name or path of the model they were trained on; empty when unknown
 */
public record AdapterConfig(LoraSpec lora, String baseModel) {}
