// The vault of the few secrets that one app has. A person writes them; the app reads them by references in its settings.
// A vault for each app, and not a right to single secrets of one: that could be given only once the secret is there, together
// with the reference to it, which would be read before the right holds, and then not again for a day.

@description('Name of the vault.')
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags of the environment.')
param tags object

@description('Object id of the app\'s identity.')
param identityPrincipalId string

// Built-in roles reference: Key Vault Secrets User. Of the whole vault, which holds nothing else.
var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
  }
}

resource reading 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, identityPrincipalId, secretsUser)
  scope: vault
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

@description('Name of the vault.')
output name string = vault.name
