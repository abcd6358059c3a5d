import { checkArgument } from '@poiesis/core';
import { promptTemplates } from './template-sets';

export interface TemplateOptions {
  /** One sentence with `{}` where the label goes. Default `'a photo of a {}.'`. */
  template?: string;
  /** Several, whose embeddings are averaged: better, and as many times slower. See `promptTemplates`. */
  templates?: readonly string[];
}

/** The sentences to embed for each label. @throws ArgumentError for one without `{}` */
export function templatesOf(fn: string, { template, templates }: TemplateOptions): readonly string[] {
  const both = template !== undefined && templates !== undefined;
  checkArgument(!both, fn, 'options', 'either template or templates', 'both');
  if (templates !== undefined) {
    const some = Array.isArray(templates) && templates.length > 0;
    checkArgument(some, fn, 'options.templates', 'at least one template', templates);
  }
  const chosen = templates ?? (template === undefined ? promptTemplates.photo : [template]);
  for (const [i, text] of chosen.entries()) {
    const argument = templates ? `options.templates[${i}]` : 'options.template';
    const fits = typeof text === 'string' && text.includes('{}');
    checkArgument(fits, fn, argument, 'a text with {} where the label goes', text);
  }
  return chosen;
}

/** A template with its place filled in. */
export function fill(template: string, label: string): string {
  return template.split('{}').join(label);
}

/** @throws ArgumentError unless there are labels, each with a word, none twice */
export function checkLabels(fn: string, labels: readonly string[]): void {
  const some = Array.isArray(labels) && labels.length > 0;
  checkArgument(some, fn, 'labels', 'at least one label', labels);
  const seen = new Set<string>();
  for (const [i, label] of labels.entries()) {
    const word = typeof label === 'string' && label.trim() !== '';
    checkArgument(word, fn, `labels[${i}]`, 'a text that is not empty', label);
    checkArgument(!seen.has(label), fn, `labels[${i}]`, 'labels that differ', label);
    seen.add(label);
  }
}
