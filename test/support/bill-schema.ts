// Whether a bill of materials is what its format says: by the schema of CycloneDX 1.6, in which no field may be there that it does not know.
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

/** What is wrong with a bill as JSON text; undefined = nothing. */
export async function billProblems(text: string): Promise<unknown> {
  return (await validator.validate(text)) ?? undefined;
}
