//! Generates the client from the contract.

use std::{env, fs, fs::File, path::Path};

fn main() {
    let contract = "openapi.json";
    println!("cargo:rerun-if-changed={contract}");
    let contract = serde_json::from_reader(File::open(contract).unwrap()).unwrap();
    let code = progenitor::Generator::default()
        .generate_tokens(&contract)
        .unwrap();
    let code = prettyplease::unparse(&syn::parse2(code).unwrap());
    fs::write(Path::new(&env::var("OUT_DIR").unwrap()).join("api.rs"), code).unwrap();
}
